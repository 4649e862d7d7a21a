"""Learns from the shown lists which engine should go first, and publishes that for running workers to take up."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Engine

from recommendation_service.engines.bandit import Bandit
from recommendation_service.errors import ArtifactRefused, ConfigurationError
from recommendation_service.histories.database import open_database
from recommendation_service.histories.outcomes import STATEMENT_TIMEOUT_MS, Scope, answers_since, day_of, played
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.publishing.versions import write_whole
from recommendation_service.settings import load_settings
from recommendation_service.training.command import DONE, guarded, parse, parser, workspace_of
from recommendation_service.training.lock import training_lock
from recommendation_service.training.models.bandit import Tally, arrays_of, state_token, tally, values_of
from recommendation_service.training.report import Report
from recommendation_service.use_cases.options import checked
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import BANDIT, database_url

STATE_FILE = "bandit_state.json"
LOCK_FILE = ".bandit.lock"
CLICK_REWARD, CONVERSION_REWARD = 0.3, 1.0  # where the file states no rewards


@dataclass(frozen=True, slots=True)
class Learner:
    """One bandit: where it plays, between what, and what counts as success there."""

    use_case: str
    catalogue: str
    surfaces: tuple[str, ...]
    arms: tuple[str, ...]
    rewards: Mapping[str, float]

    def scope(self, now: datetime, days: int) -> Scope:
        """The lists of whole days, back from `now`."""
        return Scope(self.use_case, self.surfaces, self.catalogue, day_of(now) - timedelta(days=days), now)


def main(argv: Sequence[str] | None = None) -> int:
    """Update every bandit; 0 done (also where there is nothing new), 1 expected failure, 2 wrong usage."""
    command_parser = parser("update_bandit", __doc__ or "", use_cases="repeatable; default: all that have a bandit")
    command_parser.add_argument("--hours", type=float, default=24, help="what counts as recent (default: %(default)s)")
    command_parser.add_argument(
        "--min-interactions", type=int, default=10, metavar="N", help="recent answers that an update needs (default: 10)"
    )
    command_parser.add_argument("--days", type=int, default=90, help="older lists are forgotten (default: %(default)s)")
    command_parser.add_argument("--rebuild", action="store_true", help="make the state anew, whether there is news or not")
    options = parse(command_parser, argv)
    if options.hours <= 0 or options.min_interactions < 0 or options.days < 1:
        command_parser.error("hours must be above 0, min-interactions 0 or more, days 1 or more")
    return guarded("update_bandit", lambda: _update_all(options, datetime.now(UTC)))


def _update_all(options: argparse.Namespace, now: datetime) -> int:
    workspace, report = workspace_of(options), Report()
    learners = [entry for use_case in workspace.use_cases for entry in learners_of(use_case)]
    if not learners:
        raise ConfigurationError(
            f"no surface of {', '.join(entry.name for entry in workspace.use_cases)} has a router of kind {BANDIT}"
        )
    with _database() as database:
        for learner in learners:
            store = ArtifactStore(workspace.models_dir / learner.catalogue)
            with training_lock(store.root, LOCK_FILE):
                _update(learner, store, database, options, now, report)
    report.line("next: python -m recommendation_service.cli models")
    return DONE


def learners_of(use_case: UseCase) -> list[Learner]:
    """The bandits of a use case, one a catalogue. Raises ConfigurationError where two surfaces disagree about theirs."""
    learners: dict[str, Learner] = {}
    for name, surface in use_case.surfaces.items():
        if surface.router.kind != BANDIT:
            continue
        where = f"{use_case.name}: surface '{name}', router {BANDIT}"
        options = checked(Bandit, surface.router.options, where=where)
        rewards = options.get("rewards") or _stated_by_outcomes(use_case)
        unknown = sorted(set(rewards) - set(use_case.events))
        if unknown or not rewards:
            known = ", ".join(use_case.events)
            raise ConfigurationError(
                f"{where}: rewards must name some of the events {known}, not {', '.join(unknown) or 'none'}"
            )
        learner = Learner(
            use_case.name, surface.catalogue, (name,), Bandit(None, **options).engines(), dict(sorted(rewards.items()))
        )
        previous = learners.get(surface.catalogue, learner)
        if (previous.arms, previous.rewards) != (learner.arms, learner.rewards):
            raise ConfigurationError(
                f"{where}: must have the arms and rewards of surface '{previous.surfaces[0]}': they learn together"
            )
        both = tuple(dict.fromkeys((*previous.surfaces, name)))
        learners[surface.catalogue] = Learner(learner.use_case, learner.catalogue, both, learner.arms, learner.rewards)
    return list(learners.values())


def _stated_by_outcomes(use_case: UseCase) -> dict[str, float]:
    rewards = dict.fromkeys(use_case.outcomes.clicks, CLICK_REWARD)
    return rewards | dict.fromkeys(use_case.outcomes.conversions, CONVERSION_REWARD)


def _update(
    learner: Learner, store: ArtifactStore, database: Engine, options: argparse.Namespace, now: datetime, report: Report
) -> None:
    started, scope = time.monotonic(), learner.scope(now, options.days)
    today = _today(store, report)
    news = answers_since(database, scope, list(learner.rewards), now - timedelta(hours=options.hours))
    if news < options.min_interactions and not options.rebuild:
        message = f"{news} answers in {options.hours:g} hours, {options.min_interactions} are needed: left as it is"
    else:
        tallies = tally(played(database, scope, learner.rewards))
        today, message = _published(learner, store, scope, tallies, today)
    if today is not None:
        write_whole(store.root / STATE_FILE, _state_file(today))
    report.stage(learner.catalogue, BANDIT, news, time.monotonic() - started, message)


def _published(
    learner: Learner, store: ArtifactStore, scope: Scope, tallies: tuple[Tally, ...], today: Artifact | None
) -> tuple[Artifact | None, str]:
    """The state as of now and a word about it; published only when it says something else than today's."""
    if not tallies and today is None:
        return None, "no list that a chance chose was shown yet, so there is nothing to learn from"
    arrays, counts = arrays_of(tallies, learner.arms, learner.rewards), [asdict(entry) for entry in tallies]
    if today is not None and _same(today, arrays, counts, learner):
        return today, f"nothing changed  -> {today.version}"
    made = store.publish(
        BANDIT,
        arrays,
        catalogue=learner.catalogue,
        parameters={"rewards": dict(learner.rewards)},
        dataset={
            "use_case": learner.use_case,
            "surfaces": list(learner.surfaces),
            "since": scope.since.isoformat(),
            "until": scope.until.isoformat(),
            "lists": sum(entry.lists for entry in tallies),
            "tallies": counts,
        },
        metrics={
            "value_if_always": {
                arm: asdict(learner) for arm, learner in values_of(tallies, learner.arms, learner.rewards).items()
            }
        },
    )
    return made, f"{_means(made)}  -> {made.version}"


def _same(today: Artifact, arrays: Mapping[str, np.ndarray], counts: list[dict[str, object]], learner: Learner) -> bool:
    message = today.manifest
    return (
        message.dataset.get("tallies") == counts
        and message.parameters.get("rewards") == learner.rewards
        and all(np.array_equal(today.arrays[name], array) for name, array in arrays.items())
    )


def _means(artifact: Artifact) -> str:
    arms = state_token(artifact)["arms"]
    return (
        ", ".join(f"{arm} {learner['mean']:.3f} of {learner['plays']}" for arm, learner in arms.items() if learner["plays"])
        or "no list"
    )


def _state_file(artifact: Artifact) -> bytes:
    return (json.dumps(state_token(artifact), indent=1, ensure_ascii=False) + "\n").encode()


def _today(store: ArtifactStore, report: Report) -> Artifact | None:
    try:
        return store.load(BANDIT)
    except ArtifactRefused as error:
        report.warn(f"{store.root.name}/{BANDIT}: today's state cannot be read ({error.message}); it is made anew from the log")
        return None


@contextmanager
def _database() -> Iterator[Engine]:
    url = database_url(load_settings())
    if not url:
        raise ConfigurationError(
            "the bandit learns from the site's database; set RS_DATABASE_URL, or RS_DB_HOST, RS_DB_NAME and RS_DB_USER"
        )
    database = open_database(url, connections=2, statement_timeout_ms=STATEMENT_TIMEOUT_MS)
    try:
        yield database
    finally:
        database.dispose()


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
