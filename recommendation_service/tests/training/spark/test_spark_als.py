"""ALS on a real standalone cluster of one master and two workers: the same weights, and lists as good as implicit's."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from recommendation_service.datasets.reader import Dataset
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.settings import PACKAGE
from recommendation_service.tests.support.exports import clubs, write_export
from recommendation_service.training.data import ModelUnusable
from recommendation_service.training.evaluation.splits import time_split
from recommendation_service.training.models.als import ALSParameters, train_als
from recommendation_service.training.user_histories import build_histories
from recommendation_service.use_cases.loader import load_file

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pyspark = pytest.importorskip("pyspark")
pytestmark = pytest.mark.timeout(300)
STARTUPS = load_file(PACKAGE / "use_cases" / "startups.toml")
START_S = 60.0


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a standalone cluster: one master and two workers of one core, each a process."""
    folder, port = tmp_path_factory.mktemp("cluster"), _free_port()
    submit = Path(pyspark.__file__).parent / "bin" / "spark-class"
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "512m", "PYSPARK_PYTHON": sys.executable}
    address, common = f"spark://127.0.0.1:{port}", ["--host", "127.0.0.1", "--webui-port", "0"]
    commands = [["org.apache.spark.deploy.master.Master", "--port", str(port), *common]]
    worker = ["org.apache.spark.deploy.worker.Worker", "--cores", "1", "--memory", "1g", *common]
    commands += [[*worker, "--work-dir", str(folder / f"worker{number}"), address] for number in (1, 2)]
    running = []
    for number, command in enumerate(commands):
        log = (folder / f"{number}.log").open("w")
        running.append(subprocess.Popen([submit, *command], env=environment, stdout=log, stderr=log))
        log.close()
        _wait_for(folder / f"{number}.log", "started" if number == 0 else "registered with master", running[-1])
    yield address
    for process in reversed(running):
        process.kill()
        process.wait()


def _wait_for(log: Path, told: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_S
    while told not in log.read_text().lower():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    records, happenings, profiles = clubs(people=120, items=60, events_each=14)
    twice = [replace(one, time=one.time + 60.0) for one in happenings[::3]]  # the same day, so they count once
    disliked = [replace(one, event="dismiss", time=one.time + 120.0) for one in happenings[::11]]
    write_export(folder / "data", STARTUPS, records, [*happenings, *twice, *disliked], profiles)
    return folder


@pytest.fixture
def session() -> Iterator["SparkSession"]:
    from recommendation_service.training.spark.session import spark_session

    with spark_session("local[1]") as running:
        yield running


def _matrix(frame: "DataFrame", shape: tuple[int, int]) -> np.ndarray:
    table, dense = frame.toArrow(), np.zeros(shape, dtype=np.float32)
    dense[table.column("user").to_numpy(), table.column("item").to_numpy()] = table.column("weight").to_numpy()
    return dense


def test_the_cluster_computes_the_weights_that_one_machine_does(root: Path, session: "SparkSession") -> None:
    from recommendation_service.training.spark.interactions import read_events, span_of, tastes

    dataset = Dataset.open(root / "data", "startups")
    events, frame = dataset.events(), read_events(session, dataset.folder)
    shape, newest = (len(dataset.user_ids), len(dataset.item_ids)), float(events.times.max())
    for weighting in (STARTUPS.weighting, STARTUPS.weighting.model_copy(update={"halving_days": 5.0, "cap": 1.5})):
        expected = build_histories(events, *shape, weighting, newest).liked().matrix().toarray()
        np.testing.assert_allclose(_matrix(tastes(frame, weighting, newest), shape), expected, rtol=1e-5, atol=1e-6)
    assert span_of(frame, 0.9).valid_start == time_split(events, (0.9, 0.1, 0.0)).valid_start


def test_a_model_of_the_cluster_is_published_and_served(root: Path, master: str) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RS_")},
        "RS_DATA_DIR": str(root / "data"),
        "RS_MODELS_DIR": str(root / "models"),
        "RS_INSECURE_DEV": "1",
        "ENV": "dev",
    }
    command = [sys.executable, "-m", "recommendation_service.cli", "train", "als", "--use-case", "startups"]
    command += ["--engine", "spark", "--master", master, "--factors", "8", "--iterations", "5"]
    done = subprocess.run([*command, "--topn", "3"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "als_v1  NDCG@10" in done.stdout
    model = ArtifactStore(root / "models" / "startups").load("als")
    assert model is not None
    assert model.manifest.parameters["solver"] == "spark"
    figures = model.manifest.metrics
    assert figures["validation_ndcg_at_10"] > figures["popularity_ndcg_at_10"]
    clubs_of = model.arrays["item_factors"] @ model.arrays["item_factors"].T
    same = np.add.outer(np.arange(60), np.arange(60)) % 2 == 0
    assert clubs_of[same].mean() > 3 * clubs_of[~same].mean()


def test_settings_of_spark_are_not_trained_on_one_machine(root: Path) -> None:
    from recommendation_service.tests.support.materials import club_material

    with pytest.raises(ModelUnusable, match="tandem train als --engine spark"):
        train_als(club_material()[0], ALSParameters(solver="spark"))
