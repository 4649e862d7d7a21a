"""Build the FAISS index of a published two-tower model, and compare it with exact search before it is published."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any, cast

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray
from recommendation_service.core.threads import load_faiss
from recommendation_service.publishing.store import Artifact
from recommendation_service.training.data import NotEnough, Trained
from recommendation_service.training.evaluation.evaluator import Answering, EvaluationUsers
from recommendation_service.training.session import CatalogueTraining, TrainingResult
from recommendation_service.use_cases.schema import UseCase

MODEL, KIND = "two_tower", "two_tower_index"
RECALL_AT, LEAST_RECALL = 50, 0.99
ROUNDING = 1e-6  # difference of a cosine between a product of all rows and a product of some
PEOPLE_AT_MOST = 1_000
LINKS, BUILD_WIDTH, SEARCH_WIDTH = 32, 200, 200  # of the HNSW graph: edges per node, and the width of building and searching


def build(model: Artifact) -> Trained:
    """An HNSW graph of the item vectors (Malkov & Yashunin, 2018), by inner product. Deterministic."""
    faiss = load_faiss()
    vectors = np.ascontiguousarray(model.arrays["item_vectors"], dtype=np.float32)
    graph = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = BUILD_WIDTH, SEARCH_WIDTH
    graph.add(vectors)
    arrays: dict[str, AnyArray] = {"index": faiss.serialize_index(graph), "item_ids": np.array(model.arrays["item_ids"])}
    settings = {"model": model.version, "model_seal": model.manifest.seal, "links": LINKS, "search_width": SEARCH_WIDTH}
    return Trained(KIND, arrays, settings)


def recall_of(session: CatalogueTraining, model: Artifact, index: Trained) -> tuple[float, int, int]:
    """Compare the serving engine with and without the index, for at most PEOPLE_AT_MOST users with a history.

    Returns the recall, the length of the lists, and the number of users. Items with equal scores replace each other.
    Raises NotEnough if no user can be compared.
    """
    data = session.whole
    users = np.unique(data.histories.liked().users())
    if users.size > PEOPLE_AT_MOST:
        users = users[np.linspace(0, users.size - 1, PEOPLE_AT_MOST).astype(np.int64)]
    shape = (users.size, len(data.catalogue))
    panel = EvaluationUsers(data, users, sparse.csr_array(shape), np.broadcast_to(np.True_, shape))
    approximate = _engine(session, "faiss", {MODEL: model, KIND: index.artifact(session.name)})
    exact = _engine(session, "exact", {MODEL: model})
    at, shares = min(RECALL_AT, len(data.catalogue) // 2), []
    for query in map(panel.query, range(len(panel))):
        wanted = exact.retrieve(query, at)
        if wanted is not None and len(wanted.candidates):
            scores = wanted.candidates.scores
            retrieved = approximate.retrieve(query, at)
            matches = 0 if retrieved is None else np.count_nonzero(retrieved.candidates.scores >= scores[-1] - ROUNDING)
            shares.append(float(matches / scores.size))
    if not shares:
        raise NotEnough("no user has a vector to check the index with; exact search stays in use")
    return float(np.mean(shares)), at, len(shares)


def publish_index(session: CatalogueTraining) -> TrainingResult:
    """Build, check and publish the index of the published model. Refused below LEAST_RECALL: exact search is used instead."""
    started = time.monotonic()
    model = session.today(MODEL)
    if model is None:
        return TrainingResult(KIND, None, None, None, skipped="no two-tower model is published; run: train_two_tower")
    index = build(model)
    try:
        recall, at, people = recall_of(session, model, index)
    except NotEnough as error:
        return TrainingResult(KIND, None, None, None, skipped=error.message)
    summary = f"recall@{at} {recall:.4f} of exact search for {people} people"
    if recall < LEAST_RECALL:
        refused = f"{summary} is below {LEAST_RECALL}; exact search serves"
        session.report.warn(f"{session.name}/{KIND}: not published: {refused}")
        return TrainingResult(KIND, None, None, None, refused=(refused,))
    published = session.store.publish(
        KIND,
        index.arrays,
        catalogue=session.name,
        parameters=index.parameters,
        dataset=session.provenance(),
        metrics={"recall": recall, "recall_at": at, "people": people},
        libraries={"faiss-cpu": version("faiss-cpu")},
    )
    rows = int(model.arrays["item_ids"].size)
    session.report.stage(session.name, KIND, rows, time.monotonic() - started, f"{summary}  -> {published.version}")
    return TrainingResult(KIND, published.version, None, None)


def learn_index(session: CatalogueTraining, outcomes: Sequence[TrainingResult]) -> TrainingResult | None:
    """Publish the index of the model that was trained in this run; None if there is none.

    A refused index is reported, but the run does not fail.
    """
    if not any(outcome.kind == MODEL and outcome.version for outcome in outcomes):
        return None
    return replace(publish_index(session), refused=())


def wants_index(use_case: UseCase) -> bool:
    """True if the use case's two-tower engine has the option index = "faiss"."""
    engine = use_case.engine_of_kind(MODEL)
    return engine is not None and engine[1].options.get("index") == "faiss"


def _engine(session: CatalogueTraining, how: str, artifacts: Mapping[str, Artifact]) -> Answering:
    engine = session.use_case.engine_of_kind(MODEL)
    if engine is None:
        raise NotEnough(f"{session.use_case.name} has no engine of kind {MODEL}")
    name, part = engine
    changed = part.model_copy(update={"options": {**part.options, "index": how}})
    use_case = session.use_case.model_copy(update={"engines": {name: changed}})
    built: Mapping[str, Any] = session.build(use_case, session.whole.catalogue, artifacts)
    return cast(Answering, built[name])
