"""A small startup board with real models and both halves as real servers, for drills of faults under load."""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psutil
import urllib3

from demo.plan import HOST, Plan, Server, Site, plan
from demo.processes import Processes, Signals
from recommendation_service.datasets.reader import Dataset
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support.service import token
from recommendation_service.use_cases.loader import load
from tandem.selectors.history import count_of
from tests.drills.judge import Person

CATALOGUE = "startups"
BOARD = Site(
    CATALOGUE,
    "/api/recommendations/startups/for-developer/{}",
    ("generate_startups_data", "--users", "60", "--items", "200", "--seed", "7"),
)
TRAIN = (sys.executable, "-m", "recommendation_service.cli", "train", "all", "--use-case", CATALOGUE, "--no-tune", "--force")
COUNTS = (0, 4, 5, 19, 20)  # where the router changes its mind
STRANGERS = 4
KINDS = ("als", "two_tower", "content", "ensemble")
READY_S = 60.0
HTTP = urllib3.PoolManager(retries=False, timeout=5.0)


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


@dataclass(frozen=True)
class Plant:
    """A seeded, exported and trained board; its servers are started drill by drill."""

    plan: Plan
    people: tuple[Person, ...]
    items: frozenset[str]

    @property
    def store(self) -> ArtifactStore:
        """Where its models are published."""
        return ArtifactStore(self.plan.folder / "models" / CATALOGUE)

    @property
    def service(self) -> Server:
        """Flask."""
        return self.plan.servers[0]

    @property
    def django(self) -> Server:
        """Django."""
        return self.plan.servers[1]

    def keeping(self, seconds: int) -> "Plant":
        """The same board with lists kept in Django's cache for so long."""
        environment = {**self.plan.environment, "RECOMMENDATION_CACHE_SECONDS": str(seconds)}
        return replace(self, plan=replace(self.plan, environment=environment))

    def processes(self) -> Processes:
        """An empty list of processes with this board's environment."""
        return Processes(self.plan.folder, self.plan.environment, Signals())

    def header(self, audience: str) -> Mapping[str, str]:
        """The token of a service that may ask for anyone."""
        kid, _, key = self.plan.environment["RS_SIGNING_KEYS"].partition(":")
        word = token(key=key, kid=kid, aud=[audience], exp=int(time.time()) + 900)
        return {"Authorization": f"Bearer {word}"}

    @contextmanager
    def running(self, server: Server) -> Iterator[psutil.Process]:
        """One server from ready to stopped, as the process of its gunicorn master; it may be killed meanwhile."""
        processes = self.processes()
        try:
            master = processes.start(server.name, server.command)
            processes.wait_ready([server], READY_S)
            yield psutil.Process(master.pid)
        finally:
            processes.stop()

    def versions(self) -> dict[str, str]:
        """The published version of each kind of model."""
        pointers = {kind: self.store.folder(kind).pointer() for kind in KINDS}
        return {kind: pointer.version for kind, pointer in pointers.items() if pointer is not None}

    def retrain(self) -> None:
        """Publish a slightly other version of every model, as a quick retraining would."""
        for kind in KINDS:
            found = self.store.load(kind)
            assert found is not None
            kept = found.manifest
            self.store.publish(
                kind,
                _nudged(kind, found.arrays),
                catalogue=CATALOGUE,
                parameters=kept.parameters,
                dataset=kept.dataset,
                metrics=kept.metrics,
            )

    def held(self) -> tuple[int, dict[str, str]]:
        """A worker of the service and the versions it serves, asked over a connection of its own."""
        headers = {**self.header("recommendation_service"), "Connection": "close"}
        answer = HTTP.request("GET", f"http://{HOST}:{self.service.port}/api/models", headers=headers).json()
        return answer["worker"], {one["kind"]: one["version"] for one in answer["models"] if one["kind"] in KINDS}


def _nudged(kind: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: np.array(array) for name, array in arrays.items()}
    if kind == "als":
        made["item_factors"] *= np.float32(1.01)
        made["gram"] = (made["item_factors"].T @ made["item_factors"]).astype(np.float32)
    elif kind == "two_tower":
        made["layer2_bias"] += np.float32(0.01)
    return made


def build(root: Path) -> Plant:
    """Seed, export and train a board under `root`, on SQLite, with every list asked for anew."""
    ours = ("RS_", "PROMETHEUS", "DJANGO_", "DATABASE_URL", "CACHE_URL", "ENABLE_", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    kept |= {"RECOMMENDATION_CACHE_SECONDS": "0", "RS_LOG_LEVEL": "WARNING"}
    made = plan([BOARD], port=free_port(), service_port=free_port(), environ=kept, root=root)
    made.folder.mkdir(parents=True)
    processes = Processes(made.folder, made.environment, Signals())
    for stage in made.prepare[:3]:
        processes.run(stage.name, *stage.commands)
    processes.run("train", TRAIN)
    dataset = Dataset.open(made.folder / "data", CATALOGUE)
    items = frozenset(name.decode() for name in dataset.array("item_ids"))
    return Plant(made, (*_known(dataset), *_strangers()), items)


def _known(dataset: Dataset) -> Iterator[Person]:
    """On each surface, people at every threshold and some far above the last."""
    use_case = load(CATALOGUE)
    for surface, is_one in (("for-developer", _is_developer), ("for-investor", lambda profile: not _is_developer(profile))):
        wanted = [*COUNTS, *range(21, 60)]
        for user_id in dataset.user_ids.ids():
            past = dataset.past_events(user_id)
            count = count_of(past, use_case)
            if count in wanted and is_one(dataset.profile(user_id)):
                wanted.remove(count)
                yield Person(user_id, surface, count, frozenset(event.item_id for event in past))


def _is_developer(profile: Mapping[str, Any]) -> bool:
    return "skills" in profile


def _strangers() -> Iterator[Person]:
    for number in range(STRANGERS):
        yield Person(str(UUID(int=number + 1)), "for-developer", 0, frozenset(), known=False)


def wait_until(happened: Callable[[], bool], within_s: float) -> float:
    """The seconds until `happened`; fails the test when that takes longer."""
    begun = time.monotonic()
    while not happened():
        assert time.monotonic() - begun < within_s, f"not within {within_s:g} s"
        time.sleep(0.02)
    return time.monotonic() - begun
