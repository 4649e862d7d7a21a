"""Publish an ensemble's learned weights, measured on members trained before the validation part."""

import time
from collections.abc import Mapping, Sequence

import numpy as np

from recommendation_service.training.ensemble.members import Members, ask_members, costs_of, kinds_of
from recommendation_service.training.ensemble.weights import Learned, evidence_of, learn_weights, weight_arrays
from recommendation_service.training.report import PUBLISHED_SERVES
from recommendation_service.training.session import CatalogueTraining, TrainingResult

KIND = "ensemble"
LEAST_PEOPLE = 10  # with fewer validation users the chosen weights would be random


def learn_ensemble(session: CatalogueTraining, outcomes: Sequence[TrainingResult]) -> TrainingResult | None:
    """Learn and publish the weights of the use case's main ensemble; None if it has none.

    Weights are also learned, published and reported where the file serves the configured ones. Members that were not trained
    in this run are left out, because weights belong to the models of one run. The result is skipped, with a reason, if there
    are fewer than two members or too few validation users, or if a member with a configured weight kept its old model.
    """
    ensemble = session.use_case.main_ensemble()
    if ensemble is None:
        return None
    started = time.monotonic()
    name, part = ensemble
    members = _members(session, outcomes, name)
    reason = _why_not(session, outcomes, members, name)
    if reason:
        serves = PUBLISHED_SERVES if session.store.folder(KIND).pointer() else "the configured weights are used"
        session.report.skipped(session.name, KIND, session.rows, time.monotonic() - started, reason, serves=serves)
        return TrainingResult(KIND, None, None, None, skipped=reason)
    costs = costs_of(session.use_case, members.scores)
    learned = learn_weights(members.scores, members.configured, session.panel, members.candidates, costs)
    version = _publish(session, learned, members.configured)
    served = "learned" if part.options.get("weights") == "learned" else "configured"
    message = f"{_summary(learned)}; {served} weights are used"
    session.report.published(session.name, KIND, session.rows, time.monotonic() - started, message, version)
    return TrainingResult(KIND, version, None, None)


def _members(session: CatalogueTraining, outcomes: Sequence[TrainingResult], name: str) -> Members:
    by_kind = {outcome.kind: outcome for outcome in outcomes}
    trained = {
        kind: outcome.candidate for kind, outcome in by_kind.items() if outcome.candidate is not None and not outcome.refused
    }
    artifacts = {kind: outcome.artifact(session.name) for kind, outcome in trained.items()}
    firsts = {kind: session.use_case.engine_of_kind(kind) for kind in trained}
    known = {first[0]: by_kind[kind].scores for kind, first in firsts.items() if first}
    engines = session.build(session.use_case, session.early.catalogue, artifacts)
    scored = {engine: scores for engine, scores in known.items() if scores is not None}
    return ask_members(session.use_case, name, engines, session.panel, scored)


def _why_not(session: CatalogueTraining, outcomes: Sequence[TrainingResult], members: Members, name: str) -> str:
    configured = session.use_case.engines[name].options["members"]
    needed = set[str]().union(*(kinds_of(session.use_case, member) for member in configured))
    kept = [outcome.kind for outcome in outcomes if outcome.refused and outcome.kind in needed]
    if kept:
        return f"{', '.join(kept)} kept an old model, and weights belong to the models of one run"
    if len(session.panel) < LEAST_PEOPLE:
        return f"{len(session.panel)} validation users are too few to choose weights; {LEAST_PEOPLE} are needed"
    if sum(member in members.scores for member in configured) < min(2, len(configured)):
        return f"its members {', '.join(configured)} were not all trained"
    return ""


def _publish(session: CatalogueTraining, learned: Learned, configured: Mapping[str, float]) -> str:
    configured_weights = np.array([configured[name] for name in learned.weights], dtype=np.float32)
    arrays = {**weight_arrays(learned), "configured_weights": configured_weights}
    figures = {
        "validation_people": len(session.panel),
        **evidence_of(learned),
        "popularity_ndcg_at_10": session.popularity,
    }
    parameters = {
        "scaling": "min-max per user over unseen items",
        "search": "greedy forward, averaged over draws of people",
        "k": 10,
    }
    published = session.store.publish(
        KIND,
        arrays,
        catalogue=session.name,
        parameters=parameters,
        dataset=session.provenance(),
        metrics=figures,
        libraries={},
    )
    return published.version


def _summary(learned: Learned) -> str:
    best, configured = learned.members[learned.best_member], learned.measured_configured.ndcg
    return (
        f"NDCG@10 {learned.measured.ndcg:.4f} ({learned.outcome}: {learned.summary()}); configured {configured:.4f};"
        f" best member {learned.best_member} {best:.4f}"
    )
