"""`tandem update-bandit`: learns from the shown lists which engine should go first."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import numpy as np
import typer
from sqlalchemy import Engine

from recommendation_service.commands.options import ModelsDir
from recommendation_service.engines.bandit import Bandit
from recommendation_service.errors import ConfigurationError
from recommendation_service.histories.database import open_database
from recommendation_service.histories.outcomes import STATEMENT_TIMEOUT_MS, Scope, answers_since, day_of, played
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.publishing.versions import write_whole
from recommendation_service.settings import load_settings
from recommendation_service.training.lock import training_lock
from recommendation_service.training.models.bandit import Tally, arrays_of, state_token, tally, values_of
from recommendation_service.training.report import Report
from recommendation_service.training.session import load_published
from recommendation_service.training.workspace import Workspace
from recommendation_service.use_cases.options import checked
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import BANDIT, database_url

STATE_FILE = "bandit_state.json"
LOCK_FILE = ".bandit.lock"
CLICK_REWARD, CONVERSION_REWARD = 0.3, 1.0  # default rewards


@dataclass(frozen=True, slots=True)
class Learner:
    """One bandit: its surfaces, the engines that it chooses between, and the reward of each event."""

    use_case: str
    catalogue: str
    surfaces: tuple[str, ...]
    arms: tuple[str, ...]
    rewards: Mapping[str, float]

    def scope(self, now: datetime, days: int) -> Scope:
        """Return the scope of the lists of whole days, back from `now`."""
        return Scope(self.use_case, self.surfaces, self.catalogue, day_of(now) - timedelta(days=days), now)


@dataclass(frozen=True, slots=True)
class Update:
    """The options of an update. `recent` answers are younger than `hours`; lists older than `days` are not used."""

    hours: float = 24
    min_interactions: int = 10
    days: int = 90
    rebuild: bool = False


def update_bandit(
    use_case: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Repeatable. Default: all that have a bandit.")
    ] = None,
    models_dir: ModelsDir = None,
    hours: Annotated[float, typer.Option(help="Answers younger than this are recent.")] = 24,
    min_interactions: Annotated[int, typer.Option(min=0, metavar="N", help="Recent answers that an update needs.")] = 10,
    days: Annotated[int, typer.Option(min=1, help="Lists older than this are not used.")] = 90,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Compute the state again, even if nothing is new.")] = False,
) -> None:
    """Learn from the shown lists which engine should go first, and publish that; running workers load it by themselves.

    Example: tandem update-bandit --use-case courses --hours 24
    """
    if hours <= 0:
        raise typer.BadParameter("must be above 0", param_hint="--hours")
    workspace, report = Workspace.open(use_case, None, models_dir), Report()
    learners = [entry for described in workspace.use_cases for entry in learners_of(described)]
    if not learners:
        names = ", ".join(entry.name for entry in workspace.use_cases)
        raise ConfigurationError(f"no surface of {names} has a router of kind {BANDIT}")
    options, now = Update(hours, min_interactions, days, rebuild), datetime.now(UTC)
    with _database() as database:
        for learner in learners:
            store = ArtifactStore(workspace.models_dir / learner.catalogue)
            with training_lock(store.root, LOCK_FILE):
                _update(learner, store, database, options, now, report)
    report.next_command("tandem models")


def learners_of(use_case: UseCase) -> list[Learner]:
    """Return the bandits of a use case, one per catalogue. Raises ConfigurationError if surfaces of a catalogue disagree."""
    learners: dict[str, Learner] = {}
    for name, surface in use_case.surfaces.items():
        if surface.router.kind != BANDIT:
            continue
        where = f"{use_case.name}: surface '{name}', router {BANDIT}"
        options = checked(Bandit, surface.router.options, where=where)
        rewards = options.get("rewards") or _default_rewards(use_case)
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


def _default_rewards(use_case: UseCase) -> dict[str, float]:
    rewards = dict.fromkeys(use_case.outcomes.clicks, CLICK_REWARD)
    return rewards | dict.fromkeys(use_case.outcomes.conversions, CONVERSION_REWARD)


def _update(learner: Learner, store: ArtifactStore, database: Engine, options: Update, now: datetime, report: Report) -> None:
    started, scope = time.monotonic(), learner.scope(now, options.days)
    published = load_published(store, store.root.name, report, BANDIT)
    news = answers_since(database, scope, list(learner.rewards), now - timedelta(hours=options.hours))
    if news < options.min_interactions and not options.rebuild:
        message = f"{news} answers in {options.hours:g} hours, {options.min_interactions} are needed: left as it is"
    else:
        tallies = tally(played(database, scope, learner.rewards))
        published, message = _publish_changes(learner, store, scope, tallies, published)
    if published is not None:
        text = json.dumps(state_token(published), indent=1, ensure_ascii=False)
        write_whole(store.root / STATE_FILE, f"{text}\n".encode())
    report.stage(learner.catalogue, BANDIT, news, time.monotonic() - started, message)


def _publish_changes(
    learner: Learner, store: ArtifactStore, scope: Scope, tallies: tuple[Tally, ...], published: Artifact | None
) -> tuple[Artifact | None, str]:
    """Return the current state and a note about it; it is published only if it differs from the published one."""
    if not tallies and published is None:
        return None, "no list that a chance chose was shown yet, so there is nothing to learn from"
    arrays, counts = arrays_of(tallies, learner.arms, learner.rewards), [asdict(entry) for entry in tallies]
    if published is not None and _same(published, arrays, counts, learner):
        return published, f"nothing changed  -> {published.version}"
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


def _same(published: Artifact, arrays: Mapping[str, np.ndarray], counts: list[dict[str, object]], learner: Learner) -> bool:
    message = published.manifest
    return (
        message.dataset.get("tallies") == counts
        and message.parameters.get("rewards") == learner.rewards
        and all(np.array_equal(published.arrays[name], array) for name, array in arrays.items())
    )


def _means(artifact: Artifact) -> str:
    arms = state_token(artifact)["arms"]
    return (
        ", ".join(f"{arm} {learner['mean']:.3f} of {learner['plays']}" for arm, learner in arms.items() if learner["plays"])
        or "no list"
    )


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
