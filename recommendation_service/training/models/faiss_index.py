"""Builds the FAISS index of a published two-tower model, and measures it against exact search before it may serve."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, Protocol, cast

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.core.threads import load_faiss
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Retrieved
from recommendation_service.publishing.store import Artifact
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.session import CatalogueTraining, TrainingResult
from recommendation_service.use_cases.schema import UseCase

MODEL, KIND = "two_tower", "two_tower_index"
RECALL_AT, LEAST_RECALL = 50, 0.99
ROUNDING = 1e-6  # of a cosine, between one product of all rows and one of some
PEOPLE_AT_MOST = 1_000
LINKS, BUILD_WIDTH, SEARCH_WIDTH = 32, 200, 200  # of the HNSW graph: edges a node, and how widely it is searched


class Proposer(Protocol):
    """What measuring needs of an engine."""

    def retrieve(self, query: Query, limit: int) -> Retrieved | None:
        """The best rows; None or no candidates: no prediction."""


@dataclass(frozen=True, slots=True)
class Checked:
    """How well the index finds what exact search finds, for real people."""

    recall: float
    at: int
    people: int

    @property
    def good(self) -> bool:
        """True when it may serve."""
        return self.recall >= LEAST_RECALL

    @property
    def summary(self) -> str:
        """Such as "recall@50 0.9993 of exact search for 842 people"."""
        return f"recall@{self.at} {self.recall:.4f} of exact search for {self.people} people"


def build(model: Artifact) -> Trained:
    """An HNSW graph over the item vectors (Malkov & Yashunin, 2018), by inner product; the same bytes every time."""
    faiss = load_faiss()
    vectors = np.ascontiguousarray(model.arrays["item_vectors"], dtype=np.float32)
    graph = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = BUILD_WIDTH, SEARCH_WIDTH
    graph.add(vectors)
    arrays: dict[str, AnyArray] = {"index": faiss.serialize_index(graph), "item_ids": np.array(model.arrays["item_ids"])}
    settings = {"model": model.version, "model_seal": model.manifest.seal, "links": LINKS, "search_width": SEARCH_WIDTH}
    return Trained(KIND, arrays, settings)


def check(session: CatalogueTraining, model: Artifact, index: Trained) -> Checked:
    """The serving engine with the index against itself without. Raises NotEnough when there is nobody to ask for."""
    name = _engine_name(session)
    approximate = _engine(session, name, "faiss", {MODEL: model, KIND: index.artifact(session.name)})
    exact = _engine(session, name, "exact", {MODEL: model})
    at = min(RECALL_AT, len(session.whole.catalogue) // 2)
    shares = []
    for query in _queries(session.whole):
        wanted = exact.retrieve(query, at)
        if wanted is not None and len(wanted.candidates):
            given = approximate.retrieve(query, at)
            shares.append(_share_of_wanted(wanted.candidates, given.candidates if given else None))
    if not shares or not at:
        raise NotEnough("nobody's vector is there to check the index with; exact search goes on serving")
    return Checked(float(np.mean(shares)), at, len(shares))


def _share_of_wanted(wanted: Candidates, given: Candidates | None) -> float:
    """Share of the wanted places that were filled as well: items with equal scores may stand in for each other."""
    if given is None:
        return 0.0
    return float((given.scores >= wanted.scores[-1] - ROUNDING).sum() / len(wanted))


def publish_index(session: CatalogueTraining) -> TrainingResult:
    """Build, check and publish the index of today's model; refused below LEAST_RECALL, and exact search serves."""
    started = time.monotonic()
    model = session.today(MODEL)
    if model is None:
        return TrainingResult(KIND, None, None, None, skipped="no two-tower model is published; run: train_two_tower")
    index = build(model)
    try:
        checked = check(session, model, index)
    except NotEnough as error:
        return TrainingResult(KIND, None, None, None, skipped=error.message)
    if not checked.good:
        refused = f"{checked.summary} is below {LEAST_RECALL}; exact search serves"
        session.report.warn(f"{session.name}/{KIND}: not published: {refused}")
        return TrainingResult(KIND, None, None, None, refused=(refused,))
    made = session.store.publish(
        KIND,
        index.arrays,
        catalogue=session.name,
        parameters=index.parameters,
        dataset=session.provenance(),
        metrics={"recall": checked.recall, "recall_at": checked.at, "people": checked.people},
        libraries={"faiss-cpu": version("faiss-cpu")},
    )
    rows = int(model.arrays["item_ids"].size)
    session.report.stage(session.name, KIND, rows, time.monotonic() - started, f"{checked.summary}  -> {made.version}")
    return TrainingResult(KIND, made.version, None, None)


def learn_index(session: CatalogueTraining, outcomes: Sequence[TrainingResult]) -> TrainingResult | None:
    """The index of a model that was trained just now; None when there is none. A refusal fails nothing: it is said."""
    if not any(outcome.kind == MODEL and outcome.version for outcome in outcomes):
        return None
    made = publish_index(session)
    return replace(made, refused=())


def wants_index(use_case: UseCase) -> bool:
    """Whether its file asks for one."""
    shares = use_case.engine_of_kind(MODEL)
    return shares is not None and shares[1].options.get("index") == "faiss"


def _engine_name(session: CatalogueTraining) -> str:
    shares = session.use_case.engine_of_kind(MODEL)
    if shares is None:
        raise NotEnough(f"{session.use_case.name} has no engine of kind {MODEL}")
    return shares[0]


def _engine(session: CatalogueTraining, name: str, how: str, artifacts: Mapping[str, Artifact]) -> Proposer:
    part = session.use_case.engines[name]
    changed = part.model_copy(update={"options": {**part.options, "index": how}})
    use_case = session.use_case.model_copy(update={"engines": {name: changed}})
    built: Mapping[str, Any] = session.build(use_case, session.whole.catalogue, artifacts)
    return cast(Proposer, built[name])


def _queries(material: TrainingData) -> list[Query]:
    """What at most PEOPLE_AT_MOST people would ask, taken evenly, with everything allowed."""
    people = np.unique(material.histories.liked().users())
    if people.size > PEOPLE_AT_MOST:
        people = people[np.linspace(0, people.size - 1, PEOPLE_AT_MOST).astype(np.int64)]
    everything = np.ones(len(material.catalogue), dtype=np.bool_)
    return [
        Query(
            catalogue=material.catalogue,
            history=material.histories.of(int(user)),
            limit=RECALL_AT,
            now=material.now,
            eligible=everything,
            profile=material.profiles[user],
        )
        for user in people
    ]
