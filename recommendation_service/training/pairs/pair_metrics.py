"""How well scores of pairs predict what they were not trained on: who is hired, and the ratings of reviews."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.datasets.pair_network import PairNetwork
from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.errors import DatasetError
from recommendation_service.publishing.store import Artifact
from recommendation_service.training.evaluation.metrics import bootstrap
from recommendation_service.training.pairs.neural_data import PairSplit, TrainingExamples, decided_bids, examples_of, held_out
from recommendation_service.training.parameters import HIRED, NeuralParameters
from recommendation_service.training.text_tables import aligned
from recommendation_service.use_cases.schema import PairConfig

TOP_K = (1, 3, 5)
LEAST_JOBS = 30
LEAST_COMPARED = 20  # jobs that neither network was trained on
EDGE = 1e-6


def hired_in_top(scores: Floats, chosen: Bools, jobs: Ints, k: int) -> AnyArray:
    """(g,) probability that the hired bidder is among the first k when a job's bids are ordered by (n,) scores.

    0 or 1, or between if equal scores share the last positions. Unknown scores (NaN) rank below all others.
    `jobs` is (n,) 0, 0, 1, ... ascending; each job has one `chosen` bid.
    """
    known = np.nan_to_num(scores.astype(np.float64), nan=-np.inf)
    of_hired = known[chosen][jobs]
    above, equal = np.bincount(jobs, weights=known > of_hired), np.bincount(jobs, weights=known == of_hired)
    return np.asarray(np.clip((k - above) / equal, 0.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """Bids of decided jobs with two or more bids and exactly one chosen, grouped by job."""

    rows: Ints  # (n,) of the matches
    jobs: Ints  # (n,) 0, 0, 1, ...
    chosen: Bools  # (n,)

    @classmethod
    def of(cls, matches: Matches, where: Bools) -> "Decided":
        """Build from the matches where `where` is True; jobs are taken completely or not at all."""
        rows = np.flatnonzero(decided_bids(matches, where))
        rows = rows[np.argsort(matches.groups[rows], kind="stable")]
        jobs = np.unique(matches.groups[rows], return_inverse=True)[1].astype(np.int64)
        return cls(rows, jobs, matches.chosen[rows])

    def __len__(self) -> int:
        return int(self.chosen.sum())

    def hits(self, scores: Floats, k: int) -> AnyArray:
        """(g,) probability that the hired bidder is among the first k by (n,) scores; see `hired_in_top`."""
        return hired_in_top(scores, self.chosen, self.jobs, k)

    def chance(self, k: int) -> AnyArray:
        """(g,) probability that the hired bidder is among the first k in random order."""
        return self.hits(np.zeros(self.rows.size, dtype=np.float32), k)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One score's row: the share of jobs whose hired bidder was among the first k, with its 95 % interval."""

    name: str
    jobs: int
    top: Mapping[int, tuple[float, float, float]]


def by_time(matches: Matches, share: float) -> float:
    """The time at which the newest `share` of the decided jobs starts. Raises DatasetError for too few jobs."""
    decided = Decided.of(matches, np.ones(len(matches), dtype=np.bool_))
    if len(decided) < LEAST_JOBS:
        raise DatasetError(f"{len(decided)} jobs were decided among two bids or more; {LEAST_JOBS} are needed to measure")
    times = np.sort(matches.times[decided.rows[decided.chosen]])
    return float(times[min(round(times.size * (1 - share)), times.size - 1)])


def accuracies(decided: Decided, scores: Mapping[str, Floats]) -> Iterator[Accuracy]:
    """One row for a random order (computed exactly), then one row for every score (n,)."""
    yield Accuracy("random", len(decided), {k: _mean_and_interval(decided.chance(k)) for k in TOP_K})
    for name, values in scores.items():
        yield Accuracy(name, len(decided), {k: _mean_and_interval(decided.hits(values, k)) for k in TOP_K})


def difference(decided: Decided, first: Floats, second: Floats, k: int) -> tuple[float, float, float]:
    """How much more often `first` has the hired bidder in its first k than `second`, with the 95 % interval over jobs."""
    return _mean_and_interval(decided.hits(first, k) - decided.hits(second, k))


def lines(rows: Sequence[Accuracy]) -> list[str]:
    """Return an aligned table with one row per score: how often the hired one is among the first k, with 95 % intervals."""
    cells = [["score", *(title for k in TOP_K for title in (f"top {k}", "95 %")), "jobs"]]
    for row in rows:
        shares = [cell for mean, low, high in row.top.values() for cell in (f"{mean:.1%}", f"{low:.1%}-{high:.1%}")]
        cells.append([row.name, *shares, f"{row.jobs:,}"])
    return aligned(cells, right=range(1, len(cells[0])))


def _mean_and_interval(per_job: AnyArray) -> tuple[float, float, float]:
    return (float(per_job.mean()), *bootstrap(per_job))


def predicted_values(scores: Floats, examples: TrainingExamples) -> AnyArray:
    """(n,) predictions of the targets: the scores as ratings, or as each bidder's share of the odds of the job."""
    if not examples.ranked.all():
        return scores.astype(np.float64)
    odds = 1 / (1 / np.clip(scores.astype(np.float64), EDGE, 1 - EDGE) - 1)
    return np.asarray(odds / np.bincount(examples.groups, weights=odds)[examples.groups])


def loss_of(scores: Floats, examples: TrainingExamples) -> float:
    """Mean squared error of ratings; for choices, the mean -log of the chosen bidder's share of the odds."""
    predicted = predicted_values(scores, examples)
    if not examples.ranked.all():
        return float(np.mean((predicted - examples.targets) ** 2))
    return float(-np.log(np.maximum(predicted[examples.targets > 0], EDGE)).mean())


def top(scores: Floats, examples: TrainingExamples, k: int) -> float:
    """Share of the jobs whose chosen bidder is among the best `k`."""
    return float(hired_in_top(scores, examples.targets > 0, examples.groups, k).mean())


def figures(network: PairNetwork, pair_config: PairConfig, parts: PairSplit, parameters: NeuralParameters) -> dict[str, Any]:
    """The metrics for the manifest: errors on the validation part, of the network, its halves and the mean."""
    examples = parts.validation
    scores = network.score(pair_config, examples.pairs)
    open_scores = network.score(pair_config, parts.open_validation.pairs).total
    usual = np.full(len(examples), parts.training.usual_target(), dtype=np.float32)
    collaborative = np.where(np.isnan(scores.collaborative), scores.content, scores.collaborative)
    values = {
        "target": parameters.target,
        "jobs": parts.jobs,
        "training_pairs": len(parts.training),
        "validation_pairs": len(examples),
        "alpha": float(network.alpha),
        "known_pairs": float((scores.alpha > 0).mean()),
        "loss": loss_of(scores.total, examples),
        "baseline_loss": loss_of(usual, examples),
        **_errors(scores.total, examples),
        "baseline": _errors(usual, examples),
        "collaborative": _errors(collaborative, examples),
        "content": _errors(scores.content, examples),
        "without_bid": _errors(open_scores, parts.open_validation),
        "border": parts.border,
    }
    if parameters.target == HIRED:
        for k in (1, 3):
            values[f"top_{k}"], values[f"chance_top_{k}"] = top(scores.total, examples, k), top(usual, examples, k)
    return values


def compared(
    today: Artifact, arrays: Mapping[str, AnyArray], border: float, matches: Matches, pair_config: PairConfig, parameters: Any
) -> tuple[float, float] | None:
    """Loss of the new and of the published network on the jobs that neither was trained on; None if not comparable.

    A job's side of the split depends on its number and the seed only, so with equal seeds these are nearly all validation
    jobs.
    """
    previous, previous_figures = today.manifest.parameters, today.manifest.metrics
    required = {"target": parameters.target, "embedding_columns": list(pair_config.embedding_columns)}
    required["features"] = [feature.model_dump() for feature in pair_config.features]
    seed, previous_border = previous.get("seed"), previous_figures.get("border")
    differs = any(previous.get(name) != value for name, value in required.items())
    if differs or not isinstance(seed, int) or previous_border is None:
        return None
    unseen = held_out(matches, parameters.target, parameters.seed, border)
    unseen &= held_out(matches, parameters.target, seed, float(previous_border))
    if np.unique(matches.groups[unseen]).size < LEAST_COMPARED:
        return None
    examples = examples_of(matches.take(np.flatnonzero(unseen)), pair_config, parameters)
    networks = (PairNetwork.from_arrays(arrays), PairNetwork.from_arrays(today.arrays))
    new, published = (loss_of(network.score(pair_config, examples.pairs).total, examples) for network in networks)
    return new, published


def _errors(scores: Floats, examples: TrainingExamples) -> dict[str, float]:
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score  # takes a second to import

    predicted = predicted_values(scores, examples)
    by = {"mse": mean_squared_error, "mae": mean_absolute_error, "r2": r2_score}
    return {name: float(error(examples.targets, predicted)) for name, error in by.items()}
