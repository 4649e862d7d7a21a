"""How well a network of pairs foretells what it has not learned from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.datasets.pair_network import PairNetwork
from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.publishing.store import Artifact
from recommendation_service.training.pairs.neural_data import Cut, Lessons, held_out, lessons_of
from recommendation_service.training.pairs.neural_parameters import HIRED, NeuralParameters
from recommendation_service.use_cases.schema import PairConfig

EDGE = 1e-6
LEAST_COMPARED = 20  # jobs that neither network learned from


def loss_of(scores: Floats, lessons: Lessons) -> float:
    """Mean squared error of marks; of choices the mean -log of the share of the odds that the chosen one had."""
    predicted = predicted_values(scores, lessons)
    if not lessons.ranked.all():
        return float(np.mean((predicted - lessons.targets) ** 2))
    return float(-np.log(np.maximum(predicted[lessons.targets > 0], EDGE)).mean())


def predicted_values(scores: Floats, lessons: Lessons) -> AnyArray:
    """(n,) what the scores say of the targets: marks as they are, of choices everybody's share of the job's odds."""
    if not lessons.ranked.all():
        return scores.astype(np.float64)
    odds = 1 / (1 / np.clip(scores.astype(np.float64), EDGE, 1 - EDGE) - 1)
    return np.asarray(odds / np.bincount(lessons.groups, weights=odds)[lessons.groups])


def figures(network: PairNetwork, pair_config: PairConfig, parts: Cut, parameters: NeuralParameters) -> dict[str, Any]:
    """What the manifest tells: errors on the validation part, of the network, its halves and the mean."""
    lessons = parts.validation
    scores = network.score(pair_config, lessons.pairs)
    open_scores = network.score(pair_config, parts.open_validation.pairs).total
    usual = _usual(parts)
    collaborative = np.where(np.isnan(scores.collaborative), scores.content, scores.collaborative)
    values = {
        "target": parameters.target,
        "jobs": parts.jobs,
        "training_pairs": len(parts.training),
        "validation_pairs": len(lessons),
        "alpha": float(network.alpha),
        "known_pairs": float((scores.alpha > 0).mean()),
        "loss": loss_of(scores.total, lessons),
        "baseline_loss": loss_of(usual, lessons),
        **_errors(scores.total, lessons),
        "baseline": _errors(usual, lessons),
        "collaborative": _errors(collaborative, lessons),
        "content": _errors(scores.content, lessons),
        "without_bid": _errors(open_scores, parts.open_validation),
        "border": parts.border,
    }
    if parameters.target == HIRED:
        for k in (1, 3):
            values[f"top_{k}"], values[f"chance_top_{k}"] = top(scores.total, lessons, k), chance_top(lessons, k)
    return values


def compared(
    today: Artifact, arrays: Mapping[str, AnyArray], border: float, matches: Matches, pair_config: PairConfig, parameters: Any
) -> tuple[float, float] | None:
    """Loss of the new network and of today's on the jobs that neither learned from; None when they cannot be compared.

    A shuffle that depends on the job's number and the seed keeps a job's side of the cut, so with equal seeds these are
    nearly all validation jobs.
    """
    previous, figures_then = today.manifest.parameters, today.manifest.metrics
    alike = {"target": parameters.target, "embedding_columns": list(pair_config.embedding_columns)}
    alike["features"] = [feature.model_dump() for feature in pair_config.features]
    seed, then = previous.get("seed"), figures_then.get("border")
    if any(previous.get(name) != value for name, value in alike.items()) or not isinstance(seed, int) or then is None:
        return None
    unseen = held_out(matches, parameters.target, parameters.seed, border)
    unseen &= held_out(matches, parameters.target, seed, float(then))
    if np.unique(matches.groups[unseen]).size < LEAST_COMPARED:
        return None
    lessons = lessons_of(matches.take(np.flatnonzero(unseen)), pair_config, parameters)
    networks = (PairNetwork.from_arrays(arrays), PairNetwork.from_arrays(today.arrays))
    mine, theirs = (loss_of(network.score(pair_config, lessons.pairs).total, lessons) for network in networks)
    return mine, theirs


def top(scores: Floats, lessons: Lessons, k: int) -> float:
    """Share of the jobs whose chosen bidder is among the best `k`; equal scores share the places they hold."""
    chosen = lessons.targets > 0
    hired_scores = scores[chosen][lessons.groups]  # one chosen in each job, jobs in order
    jobs = int(lessons.groups[-1]) + 1
    above = np.bincount(lessons.groups, weights=scores > hired_scores, minlength=jobs)
    equal = np.bincount(lessons.groups, weights=scores == hired_scores, minlength=jobs)
    return float(np.clip((k - above) / equal, 0, 1).mean())


def chance_top(lessons: Lessons, k: int) -> float:
    """The same for somebody who draws lots."""
    return top(np.zeros(len(lessons), dtype=np.float32), lessons, k)


def _usual(parts: Cut) -> Floats:
    """(n,) the training part's mean, which says nothing of who is chosen."""
    training = parts.training
    decided = training.weights == 1  # reviews and decisions, without what was said of recommendations
    usual = 0.5 if training.ranked.any() else float(training.targets[decided].mean())
    return np.full(len(parts.validation), usual, dtype=np.float32)


def _errors(scores: Floats, lessons: Lessons) -> dict[str, float]:
    predicted = predicted_values(scores, lessons)
    by = {"mse": mean_squared_error, "mae": mean_absolute_error, "r2": r2_score}
    return {name: float(error(lessons.targets, predicted)) for name, error in by.items()}
