"""Write the lock files beside this script from the extras of pyproject.toml: python requirements/lock.py.

The files pin everything that an image installs. Local versions such as +cpu are removed, so that each
machine installs the build that fits it.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LOCKS = {
    "serve": "serve,postgres",
    "backend": "backend",
    "train": "train,postgres",
    "rerank": "rerank",
    "dev": "serve,train,backend,dev",
}
BUILD_PARTS = ("cuda", "nvidia", "triton")  # parts of one machine's torch, which pins them itself
TORCH = "torch==2.13.0"
HEAD = "# Written by requirements/lock.py from pyproject.toml[{extras}]; do not edit.\n"


def resolved(extras: str) -> list[str]:
    """Return `name==version` of everything that those extras install, sorted."""
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
    packages = [entry["metadata"] for entry in report["install"]]
    pins = {
        package["name"].lower().replace("_", "-"): package["version"].partition("+")[0]
        for package in packages
        if not package["name"].startswith(("tandem", *BUILD_PARTS))
    }
    return sorted(f"{name}=={version}" for name, version in pins.items())


if __name__ == "__main__":
    for name, extras in LOCKS.items():
        (HERE / f"{name}.txt").write_text(HEAD.format(extras=extras) + "\n".join(resolved(extras)) + "\n")
