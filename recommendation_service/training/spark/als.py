"""ALS by Spark MLlib: the split, the weights, the factors and the counts are computed by the cluster.

This machine keeps the catalogue, the item factors, and the events of the validation users. It measures the model with the
engine that serves it, applies the gate of every training, and publishes a model of kind "als".
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.idmap import IdMap
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.training import publish_gate
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers, build_evaluation_users, score_people
from recommendation_service.training.models.als import MIN_ITEMS, MIN_USERS, SPARK, ALSParameters
from recommendation_service.training.report import Report
from recommendation_service.training.session import TRAINING_SHARES, EngineBuilder, TrainingOptions, TrainingResult
from recommendation_service.training.spark.interactions import (
    Span,
    events_of,
    per_item,
    read_events,
    sample_of,
    span_of,
    tastes,
)
from recommendation_service.training.trainers import parameters_from
from recommendation_service.training.user_histories import build_histories
from recommendation_service.use_cases.schema import UseCase

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

KIND = "als"
CELLS_AT_MOST = 200_000_000  # of the scores of all validation users: people x items
PEOPLE_AT_MOST = 5_000
ROWS_OF_PARTITION = 250_000
SPARKS_OWN = "200"  # the number of partitions that Spark uses if nobody says another
REGULARIZATIONS = (0.003, 0.01, 0.03, 0.1)  # that a search tries; Spark multiplies them by the number of a row's entries
ALPHAS = (40.0, 10.0, 4.0, 1.0)


def partitions_for(rows: int) -> int:
    """Return in how many parts to process so many rows: small ones fit into the memory of a core, and each costs time."""
    return max(2, rows // ROWS_OF_PARTITION)


def fit_factors(liked: "DataFrame", parameters: ALSParameters, n_items: int) -> Floats:
    """Return (n_items, k) factors of every item of `liked` (user, item, weight > 0), and zeros for the others."""
    from pyspark.ml.recommendation import ALS

    blocks = partitions_for(liked.count())
    model = ALS(
        numUserBlocks=blocks,
        numItemBlocks=blocks,
        rank=parameters.factors,
        maxIter=parameters.iterations,
        regParam=parameters.regularization,
        alpha=parameters.alpha,
        implicitPrefs=True,
        userCol="user",
        itemCol="item",
        ratingCol="weight",
        seed=parameters.seed,
    ).fit(liked)
    table = model.itemFactors.toArrow()
    factors = np.zeros((n_items, parameters.factors), dtype=np.float32)
    values = table.column("features").combine_chunks().flatten().to_numpy()
    factors[table.column("id").to_numpy()] = values.reshape(-1, parameters.factors)
    return factors


def trained_model(liked: "DataFrame", parameters: ALSParameters, item_ids: IdMap) -> Trained:
    """Return a model of kind "als". Raises NotEnough for fewer than two users or two items."""
    n_users = liked.select("user").distinct().count()
    _, counts = per_item(liked, len(item_ids))
    if n_users < MIN_USERS or np.count_nonzero(counts) < MIN_ITEMS:
        raise NotEnough(f"ALS needs {MIN_USERS} people and {MIN_ITEMS} items with a positive weight")
    factors = fit_factors(liked, parameters, len(item_ids))
    arrays = {
        "item_factors": factors,
        "gram": factors.T @ factors,
        "item_counts": counts.astype(np.int32),
        "item_ids": item_ids.array,
    }
    return Trained(KIND, arrays, asdict(parameters))


class SparkTraining:
    """One catalogue's export on a cluster: split, train, measure, train on everything, judge, publish."""

    def __init__(
        self,
        session: "SparkSession",
        use_case: UseCase,
        dataset: Dataset,
        store: ArtifactStore,
        build: EngineBuilder,
        options: TrainingOptions,
        report: Report,
    ) -> None:
        """Read the export's events on the cluster. Raises DatasetError if there are no positive ones."""
        self._spark, self._use_case, self._dataset, self._store = session, use_case, dataset, store
        self._build, self._options, self._report = build, options, report
        self._name = str(dataset.summary["catalogue"])
        if session.conf.get("spark.sql.shuffle.partitions") == SPARKS_OWN:  # whoever runs the cluster may know better
            partitions = partitions_for(int(dataset.summary["counts"]["interactions"]))
            session.conf.set("spark.sql.shuffle.partitions", partitions)
        self._events = read_events(session, dataset.folder).cache()
        self._span: Span = span_of(self._events, TRAINING_SHARES[0])
        self._early_events, self._late_events = self._span.parts(self._events)
        self._early = tastes(self._early_events, use_case.weighting, self._span.valid_start).cache()

    def train(self, parameters: ALSParameters) -> TrainingResult:
        """Train, measure and publish ALS. Too little data to learn from is a result (`skipped`), not an error."""
        started, rows = time.monotonic(), self._events.count()
        try:
            result, summary = self._train(replace(parameters, solver=SPARK, frequency_scaling=0.0), rows)
        except NotEnough as error:
            self._report.skipped(self._name, KIND, rows, time.monotonic() - started, error.message)
            return TrainingResult(KIND, None, None, None, skipped=error.message)
        seconds = time.monotonic() - started
        if result.version:
            self._report.published(self._name, KIND, rows, seconds, summary, result.version)
        else:
            self._report.refused(self._name, KIND, rows, seconds, summary, result.refused)
        return result

    def _train(self, parameters: ALSParameters, rows: int) -> tuple[TrainingResult, str]:
        panel = self._panel()
        chosen, candidate, ndcg = self._best(parameters, panel)
        whole = tastes(self._events, self._use_case.weighting, self._span.newest)
        refit = trained_model(whole, chosen, self._dataset.item_ids)
        measured = publish_gate.Measured(
            candidate=ndcg,
            refit=self._ndcg(refit, panel),
            current=self._current(chosen, ndcg, panel),
            popularity=_popularity(panel),
            few=len(panel) < publish_gate.LEAST_PEOPLE,
        )
        today = self._store.load(KIND)
        before = today.manifest.dataset if today else None
        verdict = publish_gate.judge(refit.arrays, measured, interactions=rows, current_dataset=before)
        summary = "no validation people" if ndcg is None else f"NDCG@10 {ndcg:.4f} (popularity {measured.popularity:.4f})"
        if not verdict.accepted and not self._options.force:
            return TrainingResult(KIND, None, candidate, None, verdict.refusals), summary
        version = self._publish(refit, measured, verdict, len(panel), rows)
        return TrainingResult(KIND, version, candidate, None), summary

    def _panel(self) -> EvaluationUsers:
        """The validation users, as of the beginning of their part; popularity is that of all users."""
        most = max(1, min(PEOPLE_AT_MOST, CELLS_AT_MOST // max(1, len(self._dataset.item_ids))))
        users, start = sample_of(self._late_events, self._early, most), self._span.valid_start
        early, late = (events_of(self._spark, part, users) for part in (self._early_events, self._late_events))
        catalogue = self._dataset.catalogue()
        popularity, _ = per_item(self._early, len(catalogue))
        material = TrainingData(
            catalogue=replace(catalogue, popularity=popularity),
            records=(),
            user_ids=IdMap(self._dataset.user_ids.array[users]),
            profiles=({},) * users.size,
            histories=build_histories(early, users.size, len(catalogue), self._use_case.weighting, start),
            now=start,
            events=early,
        )
        return build_evaluation_users(material, late, with_history=True)

    def _best(self, stated: ALSParameters, panel: EvaluationUsers) -> tuple[ALSParameters, Trained, float | None]:
        """Train with the stated parameters, and with `tune` with others too; return the best on the validation users."""
        best: tuple[ALSParameters, Trained, float | None] | None = None
        tries = list(_tries(stated)) if self._options.tune and len(panel) >= publish_gate.LEAST_PEOPLE else [stated]
        with self._report.progress(f"{self._name}/{KIND} on Spark", step="try") as progress:
            for done, parameters in enumerate(tries, start=1):
                trained = trained_model(self._early, parameters, self._dataset.item_ids)
                ndcg = self._ndcg(trained, panel)
                if best is None or (ndcg or 0.0) > (best[2] or 0.0):
                    best = parameters, trained, ndcg
                progress(done, len(tries), f"regularization {parameters.regularization:g}, alpha {parameters.alpha:g}")
        assert best is not None  # noqa: S101  # `tries` is never empty
        return best

    def _ndcg(self, trained: Trained, panel: EvaluationUsers) -> float | None:
        """Validation NDCG@10 by the serving engine; None without validation users."""
        name = self._use_case.engine_of_kind(KIND)
        if not len(panel) or name is None:
            return None
        engines = self._build(self._use_case, panel.material.catalogue, {KIND: trained.artifact(self._name)})
        return metrics.ndcg(score_people(engines[name[0]], panel), panel.eligible, panel.relevant)

    def _current(self, chosen: ALSParameters, ndcg: float | None, panel: EvaluationUsers) -> float | None:
        """Today's settings on the same terms; None, with a warning, if another solver made today's model."""
        today = self._store.load(KIND)
        if today is None or ndcg is None:
            return None
        recipe = parameters_from(KIND, today.manifest.parameters)
        if recipe.solver != SPARK:
            self._report.warn(f"{self._name}/{KIND}: today's model was not trained by Spark, so the two are not compared")
            return None
        return ndcg if recipe == chosen else self._ndcg(trained_model(self._early, recipe, self._dataset.item_ids), panel)

    def _publish(
        self, refit: Trained, measured: publish_gate.Measured, verdict: publish_gate.Verdict, people: int, rows: int
    ) -> str:
        import pyspark

        forced = tuple(f"forced: {reason}" for reason in verdict.refusals)
        for warning in (*verdict.warnings, *forced):
            self._report.warn(f"{self._name}/{KIND}: {warning}")
        provenance: dict[str, Any] = {
            "export": self._dataset.version,
            "fingerprint": self._dataset.fingerprint,
            "users": len(self._dataset.user_ids),
            "items": len(self._dataset.item_ids),
            "interactions": rows,
            "newest_event": self._span.newest,
            "split": self._span.method,
        }
        figures = {
            "validation_people": people,
            "validation_ndcg_at_10": measured.candidate,
            "popularity_ndcg_at_10": measured.popularity,
            "current_recipe_ndcg_at_10": measured.current,
        }
        published = self._store.publish(
            KIND,
            refit.arrays,
            catalogue=self._name,
            parameters=refit.parameters,
            dataset=provenance,
            metrics=figures,
            warnings=verdict.warnings + forced,
            libraries={"pyspark": pyspark.__version__, "numpy": np.__version__},
        )
        return published.version


def _tries(stated: ALSParameters) -> Iterator[ALSParameters]:
    yield stated
    for alpha in ALPHAS:
        for regularization in REGULARIZATIONS:
            if (alpha, regularization) != (stated.alpha, stated.regularization):
                yield replace(stated, alpha=alpha, regularization=regularization)


def _popularity(panel: EvaluationUsers) -> float | None:
    if not len(panel):
        return None
    scores = np.broadcast_to(panel.material.catalogue.popularity, panel.eligible.shape)
    return metrics.ndcg(np.asarray(scores), panel.eligible, panel.relevant)
