"""Numbered folders published by one atomic pointer: how exports and models both reach their readers.

`root/als_v3/` is a version of "als"; `root/als.current` is one line, the version's name and its seal. Writing happens
aside, in `root/.als-*.draft/`; a crash at any moment leaves the pointer on the last good version.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pointer:
    """What `<name>.current` says: the version that serves, and the seal its content must have."""

    version: str
    seal: str


@dataclass(frozen=True, slots=True)
class VersionedFolder:
    """All versions of one named thing under `root`."""

    root: Path
    name: str

    @property
    def pointer_path(self) -> Path:
        """The one-line file that says which version serves."""
        return self.root / f"{self.name}.current"

    def pointer(self) -> Pointer | None:
        """The published version, or None when nothing was published or the line is not a pointer."""
        try:
            words = self.pointer_path.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            return None
        if len(words) != 2 or self.number(words[0]) is None:
            return None
        return Pointer(words[0], words[1])

    def number(self, version: str) -> int | None:
        """3 for "als_v3", None for anything that is not a version of this name."""
        match = re.fullmatch(rf"{re.escape(self.name)}_v([1-9][0-9]{{0,8}})", version, flags=re.ASCII)
        return int(match[1]) if match else None

    def versions(self) -> list[str]:
        """Version names on disk, newest first."""
        found = [(self.number(path.name), path.name) for path in self.root.glob(f"{self.name}_v*") if path.is_dir()]
        return [name for number, name in sorted((pair for pair in found if pair[0] is not None), reverse=True)]

    def path(self, version: str) -> Path:
        """The folder of a version."""
        return self.root / version

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A private folder to write into; removed afterwards unless `publish` took it."""
        self.root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{self.name}-", suffix=".draft", dir=self.root))
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def claim(self, draft: Path) -> str:
        """Move a finished draft to the next free version number and return its name; nothing points at it yet."""
        for path in draft.iterdir():
            _fsync(path)
        _fsync(draft)
        number = max((self.number(name) or 0 for name in self.versions()), default=0) + 1
        while True:
            target = self.path(f"{self.name}_v{number}")
            try:
                draft.rename(target)
            except OSError:
                if not target.exists():
                    raise
                number += 1  # another publisher took it between the look and the rename
                continue
            _fsync(self.root)
            return target.name

    def point_to(self, version: str, seal: str) -> None:
        """Make `version` the one that serves, in one atomic step."""
        write_whole(self.pointer_path, f"{version} {seal}\n".encode("ascii"))

    def prune(self, keep: int) -> list[str]:
        """Delete all but the newest `keep` versions, never the published one; returns what went."""
        published = self.pointer()
        old = [name for name in self.versions()[keep:] if published is None or name != published.version]
        for name in old:
            shutil.rmtree(self.path(name), ignore_errors=True)
        return old


def write_whole(path: Path, body: bytes) -> None:
    """Write a file in one atomic step: a reader sees the old one or the new one, whole, whatever happens meanwhile."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    _fsync(path.parent)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex, read in pieces."""
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _fsync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder for syncing
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
