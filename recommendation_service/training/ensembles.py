"""Publishes an ensemble's learned weights, measured on the members as they were before the validation part."""

import time
from collections.abc import Mapping, Sequence

import numpy as np

from recommendation_service.numeric import Floats
from recommendation_service.training.blend import Learned, learn_weights
from recommendation_service.training.session import Outcome, Session

KIND = "ensemble"
LEAST_PEOPLE = 10  # fewer validation people than this choose weights by chance


def learn_ensemble(session: Session, outcomes: Sequence[Outcome]) -> Outcome | None:
    """Learn and publish the weights of the use case's ensemble; None when it has none.

    Members that were not trained this time are left out. Not learned, and said so, when fewer than two members or
    too few validation people are there, or when a member kept its old model: weights belong to the models of one run.
    """
    found = session.use_case.engine_of_kind(KIND)
    if found is None:
        return None
    started = time.monotonic()
    stated = {str(name): float(weight) for name, weight in found[1].options["members"].items()}
    members = [*stated, *(name for name in found[1].options.get("also_learn", ()) if name not in stated)]
    scores = _scores(session, outcomes, members)
    reason = _why_not(session, outcomes, scores, stated)
    if reason:
        session.report.stage(session.name, KIND, session.rows, time.monotonic() - started, f"skipped: {reason}")
        return Outcome(KIND, None, None, None, skipped=reason)
    total = sum(stated[name] for name in scores if name in stated)
    kept = {name: stated.get(name, 0.0) / total for name in scores}
    learned = learn_weights(scores, kept, session.panel)
    version = _publish(session, learned, kept)
    session.report.stage(session.name, KIND, session.rows, time.monotonic() - started, f"{_told(learned)}  -> {version}")
    return Outcome(KIND, version, None, None)


def _scores(session: Session, outcomes: Sequence[Outcome], members: Sequence[str]) -> dict[str, Floats]:
    by_kind = {outcome.kind: outcome for outcome in outcomes}
    found: dict[str, Floats] = {}
    for name in members:
        kind = session.use_case.engines[name].kind
        own = session.scores_of({}, name) if kind == "popularity" else None
        own = by_kind[kind].scores if kind in by_kind else own
        if own is not None:
            found[name] = own
    return found


def _why_not(session: Session, outcomes: Sequence[Outcome], scores: Mapping[str, Floats], stated: Mapping[str, float]) -> str:
    kept = [outcome.kind for outcome in outcomes if outcome.refused]
    if kept:
        return f"{', '.join(kept)} kept an old model; weights belong to the models of one run"
    if len(session.panel) < LEAST_PEOPLE:
        return f"{len(session.panel)} validation people are too few to choose weights by; {LEAST_PEOPLE} are needed"
    if sum(name in scores for name in stated) < min(2, len(stated)):
        return f"its members {', '.join(stated)} were not all trained"
    return ""


def _publish(session: Session, learned: Learned, stated: Mapping[str, float]) -> str:
    names = list(learned.weights)
    arrays = {
        "members": np.array([name.encode() for name in names], dtype=np.bytes_),
        "weights": np.array([learned.weights[name] for name in names], dtype=np.float32),
        "stated_weights": np.array([stated[name] for name in names], dtype=np.float32),
    }
    figures = {
        "validation_people": len(session.panel),
        "members_ndcg_at_10": dict(learned.members),
        "stated_ndcg_at_10": learned.stated,
        "learned_ndcg_at_10": learned.learned,
        "best_member": learned.best_member,
        "outcome": learned.outcome,
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
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in learned.weights.items() if weight > 0)
    best = learned.members[learned.best_member]
    return (
        f"NDCG@10 {learned.learned:.4f} ({learned.outcome}: {weights}); stated {learned.stated:.4f};"
        f" best member {learned.best_member} {best:.4f}"
    )
