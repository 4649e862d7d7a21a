"""Where the repository's files are, for the tests that read them."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def committed(*patterns: str) -> list[Path]:
    """Files that git knows, or every matching file where there is no git."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        return [path for pattern in patterns for path in ROOT.rglob(pattern) if ".venv" not in path.parts]
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]
