"""Publishes an ensemble's learned weights, measured on the members as they were before the validation part."""

import time
from collections.abc import Mapping, Sequence

import numpy as np

from recommendation_service.training.ensemble.members import Members, ask_members, kinds_of
from recommendation_service.training.ensemble.weights import Learned, evidence_of, learn_weights, weight_arrays
from recommendation_service.training.session import Outcome, Session

KIND = "ensemble"
LEAST_PEOPLE = 10  # fewer validation people than this choose weights by chance


def learn_ensemble(session: Session, outcomes: Sequence[Outcome]) -> Outcome | None:
    """Learn and publish the weights of the use case's main ensemble; None when it has none.

    They are learned, published and told also where the file serves the stated ones. Members that were not trained this
    time are left out, and so are those of `also_learn` that kept an old model: weights belong to the models of one run.
    Not learned, and said so, when fewer than two members or too few validation people are there, or when a member with
    a stated weight kept its old model.
    """
    found = session.use_case.main_ensemble()
    if found is None:
        return None
    started = time.monotonic()
    name, part = found
    members = _members(session, outcomes, name)
    reason = _why_not(session, outcomes, members, name)
    if reason:
        serve = "today's weights keep serving" if session.store.folder(KIND).pointer() else "the stated weights serve"
        session.report.stage(session.name, KIND, session.rows, time.monotonic() - started, f"skipped: {reason}; {serve}")
        return Outcome(KIND, None, None, None, skipped=reason)
    learned = learn_weights(members.scores, members.stated, session.panel, members.candidates)
    version = _publish(session, learned, members.stated)
    served = "learned" if part.options.get("weights") == "learned" else "stated"
    told = f"{_told(learned)}; {served} weights serve  -> {version}"
    session.report.stage(session.name, KIND, session.rows, time.monotonic() - started, told)
    return Outcome(KIND, version, None, None)


def _members(session: Session, outcomes: Sequence[Outcome], name: str) -> Members:
    by_kind = {outcome.kind: outcome for outcome in outcomes}
    trained = {kind: one.candidate for kind, one in by_kind.items() if one.candidate is not None and not one.refused}
    artifacts = {kind: one.artifact(session.name) for kind, one in trained.items()}
    firsts = {kind: session.use_case.engine_of_kind(kind) for kind in trained}
    known = {first[0]: by_kind[kind].scores for kind, first in firsts.items() if first}
    engines = session.build(session.use_case, session.early.catalogue, artifacts)
    told = {engine: scores for engine, scores in known.items() if scores is not None}
    return ask_members(session.use_case, name, engines, session.panel, told)


def _why_not(session: Session, outcomes: Sequence[Outcome], members: Members, name: str) -> str:
    stated = session.use_case.engines[name].options["members"]
    needed = set[str]().union(*(kinds_of(session.use_case, member) for member in stated))
    kept = [outcome.kind for outcome in outcomes if outcome.refused and outcome.kind in needed]
    if kept:
        return f"{', '.join(kept)} kept an old model; weights belong to the models of one run"
    if len(session.panel) < LEAST_PEOPLE:
        return f"{len(session.panel)} validation people are too few to choose weights by; {LEAST_PEOPLE} are needed"
    if sum(member in members.scores for member in stated) < min(2, len(stated)):
        return f"its members {', '.join(stated)} were not all trained"
    return ""


def _publish(session: Session, learned: Learned, stated: Mapping[str, float]) -> str:
    stated_weights = np.array([stated[name] for name in learned.weights], dtype=np.float32)
    arrays = {**weight_arrays(learned), "stated_weights": stated_weights}
    figures = {
        "validation_people": len(session.panel),
        **evidence_of(learned),
        "popularity_ndcg_at_10": session.popularity,
    }
    parameters = {"scaling": "min-max per user over unseen items", "search": "greedy forward", "k": 10}
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


def _told(learned: Learned) -> str:
    best = learned.members[learned.best_member]
    return (
        f"NDCG@10 {learned.learned:.4f} ({learned.outcome}: {learned.told()}); stated {learned.stated:.4f};"
        f" best member {learned.best_member} {best:.4f}"
    )
