"""Build a release into `dist`: sdist, wheel, a bill of materials (CycloneDX), and the SHA-256 of each file.

python .ci/release.py [--into FOLDER] [--draft]

The version is that of recommendation_service/__init__.py. A release needs a clean working tree and a dated section in
CHANGELOG.md, such as "## [0.3.0] - 2026-12-01"; with --draft, neither is checked. Nothing is uploaded.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
NAME = "tandem-recommendations"
EXTRAS = ("django", "api", "redis", "postgres", "export", "serve", "train")  # what the bill of materials covers
MUST_NOT_HOLD = re.compile(r"(^|/)(tests|benchmarks|sites|demo)/|use_cases/[^/]+\.toml$")


def version() -> str:
    """Return the version that the package tells."""
    text = (ROOT / "recommendation_service/__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)[0]


def problems(told: str) -> list[str]:
    """Return why this checkout cannot be released as that version, each with the fix."""
    found = []
    changed = _output("git", "status", "--porcelain")
    if changed:
        found.append(f"{len(changed.splitlines())} files are not committed, such as {changed.split()[1]}; commit them")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## \[{re.escape(told)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        found.append(f'CHANGELOG.md has no section "## [{told}] - YYYY-MM-DD"; write one')
    if _output("git", "tag", "--list", f"v{told}"):
        found.append(f"the tag v{told} exists, so {told} was released; raise __version__ in recommendation_service/__init__.py")
    return found


def build(folder: Path) -> list[Path]:
    """Build sdist and wheel into the folder, the wheel from the sdist, and check their metadata and contents."""
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    built = sorted([*folder.glob("*.tar.gz"), *folder.glob("*.whl")])
    _run(sys.executable, "-m", "twine", "check", "--strict", *map(str, built))
    (wheel,) = folder.glob("*.whl")
    wrong = [name for name in _output(sys.executable, "-m", "zipfile", "-l", str(wheel)).split() if MUST_NOT_HOLD.search(name)]
    if wrong:
        raise SystemExit(f"the wheel holds {wrong[0]}, which is not part of the product; exclude it in pyproject.toml")
    return built


def bill_of_materials(wheel: Path, path: Path) -> int:
    """Write the CycloneDX file of the wheel and everything that pip would install with EXTRAS; return the number of parts."""
    with tempfile.TemporaryDirectory() as folder:
        report, pinned = Path(folder) / "report.json", Path(folder) / "requirements.txt"
        wanted = f"{NAME}[{','.join(EXTRAS)}] @ {wheel.resolve().as_uri()}"
        _run(sys.executable, "-m", "pip", "install", "-qq", "--dry-run", "--ignore-installed", "--report", str(report), wanted)
        parts = [part for part in json.loads(report.read_text())["install"] if part["metadata"]["name"] != NAME]
        lines = []
        for part in sorted(parts, key=lambda part: part["metadata"]["name"].lower()):
            digest = part["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
            pin = str(Requirement(f"{part['metadata']['name']}=={part['metadata']['version']}"))
            lines.append(f"{pin} --hash=sha256:{digest}" if digest else pin)
        pinned.write_text("\n".join(lines) + "\n")
        command = [sys.executable, "-m", "cyclonedx_py", "requirements", "--pyproject", str(ROOT / "pyproject.toml")]
        _run(*command, "--output-reproducible", "--output-file", str(path), str(pinned))
    return len(parts)


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def main() -> int:
    """Build and check; returns 0, or 1 with the reasons why this is no release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="folder of the files; it must be empty or absent")
    parser.add_argument("--draft", action="store_true", help="build what is here, released or not")
    options = parser.parse_args()
    told = version()
    found = [] if options.draft else problems(told)
    folder: Path = options.into
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        found.append(f"{folder.name} is not empty; move its files away")
    if found:
        sys.stderr.write("\n".join(f"no release of {told}: {reason}" for reason in found) + "\n")
        return 1
    built = build(folder)
    materials = folder / f"{NAME}-{told}.cdx.json"
    parts = bill_of_materials(built[-1], materials)
    files = [*built, materials]
    sums = "".join(f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (folder / "SHA256SUMS").write_text(sums)
    sys.stdout.write(
        f"{sums}{materials.name} lists {parts} packages\nnext: git tag v{told}, then upload the files of {folder.name}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
