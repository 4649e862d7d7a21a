"""What a serving process loads, seen from a fresh interpreter."""

import json
import os
import subprocess
import sys
from pathlib import Path

from recommendation_service.tests.support import service

HEAVY = (
    "torch",
    "implicit",
    "lightgbm",
    "pyarrow",
    "sklearn",
    "pandas",
    "django",
    "marshmallow_sqlalchemy",
    "joblib",
    "cloudpickle",
)
PROGRAM = """
import json, os, sys
from recommendation_service.app import create_app
client = create_app().test_client()
answer = client.get("/api/recommendations/startups/for-developer/u001", headers={"Authorization": "Bearer " + sys.argv[1]})
with open("/proc/self/statm") as file:
    resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
pinned = [os.environ[name] for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")]
print(json.dumps({"status": answer.status_code, "method": answer.json["method_used"], "modules": sorted(sys.modules),
                  "resident_mb": resident, "pinned": pinned}))
"""


def _run(root: Path, program: str, *arguments: str) -> dict[str, object]:
    variables = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=Path(__file__).parents[2],
        env={**variables, **service.environment(root)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, object] = json.loads(ran.stdout)
    return found


def test_a_serving_process_is_light_and_pinned(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish_all(tmp_path)
    found = _run(tmp_path, PROGRAM, service.token())
    assert (found["status"], found["method"]) == (200, "als")
    loaded = {str(name).partition(".")[0] for name in found["modules"]}  # type: ignore[attr-defined]  # a JSON list
    assert not loaded & set(HEAVY)
    assert found["pinned"] == ["1", "1", "1", "1"]
    print(f"resident after one answer: {found['resident_mb']:.0f} MB")  # noqa: T201  # pytest -s shows it
    assert float(str(found["resident_mb"])) < 150


CANARY = """
import json, pickle
from recommendation_service.app import create_app
def refuse(*_a, **_k): raise AssertionError("something was unpickled")
pickle.load = pickle.loads = pickle.Unpickler = refuse
app = create_app()
print(json.dumps({"changed": app.extensions["tandem"].live.refresh()}))
"""


def test_nothing_is_ever_unpickled_while_serving(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish_all(tmp_path)
    assert _run(tmp_path, CANARY) == {"changed": []}
