"""Write the lock files beside this script from the extras of pyproject.toml: python requirements/lock.py.

Exact versions of everything an image installs. Local build marks such as +cpu are left out, so that each machine takes
the build that suits it.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LOCKS = {"serve": "serve", "backend": "backend", "train": "train", "rerank": "rerank", "dev": "serve,train,backend,dev"}
OF_A_BUILD = ("cuda", "nvidia", "triton")  # parts of one machine's torch, which pins them itself
TORCH = "torch==2.13.0"
HEAD = "# Written by requirements/lock.py from pyproject.toml[{extras}]; do not edit.\n"


def resolved(extras: str) -> list[str]:
    """`name==version` of everything those extras install, sorted."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--dry-run",
        "--ignore-installed",
        "--report",
        "-",
        f"{HERE.parent}[{extras}]",
        *([TORCH] if {"train", "rerank"} & set(extras.split(",")) else []),
    ]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = [entry["metadata"] for entry in report["install"]]
    ours = [one for one in found if not one["name"].startswith(("tandem", *OF_A_BUILD))]
    pins = {one["name"].lower().replace("_", "-"): one["version"].partition("+")[0] for one in ours}
    return sorted(f"{name}=={version}" for name, version in pins.items())


if __name__ == "__main__":
    for name, extras in LOCKS.items():
        (HERE / f"{name}.txt").write_text(HEAD.format(extras=extras) + "\n".join(resolved(extras)) + "\n")
