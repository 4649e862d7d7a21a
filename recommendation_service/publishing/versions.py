"""Numbered folders with an atomic pointer to the published one; exports and models use them.

`root/als_v3/` is a version of "als"; `root/als.current` is one line, the name of the published version and its seal. New
versions are written in `root/.als-*.draft/`; after a crash, the pointer still names the last good version.
"""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pointer:
    """The content of `<name>.current`: the published version, and the seal that its content must have."""

    version: str
    seal: str


@dataclass(frozen=True, slots=True)
class VersionedFolder:
    """All versions of one export or model under `root`."""

    root: Path
    name: str

    @property
    def pointer_path(self) -> Path:
        """The one-line file that names the published version."""
        return self.root / f"{self.name}.current"

    def pointer(self) -> Pointer | None:
        """Return the published version, or None if there is none or the line is not a pointer."""
        try:
            fields = self.pointer_path.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            return None
        if len(fields) != 2 or self.number(fields[0]) is None:
            return None
        return Pointer(fields[0], fields[1])

    def number(self, version: str) -> int | None:
        """Return 3 for "als_v3", None for a text that is not a version of this name."""
        match = re.fullmatch(rf"{re.escape(self.name)}_v([1-9][0-9]{{0,8}})", version, flags=re.ASCII)
        return int(match[1]) if match else None

    def versions(self) -> list[str]:
        """Return the version names on disk, newest first."""
        numbered = [(self.number(path.name), path.name) for path in self.root.glob(f"{self.name}_v*") if path.is_dir()]
        return [name for number, name in sorted((pair for pair in numbered if pair[0] is not None), reverse=True)]

    def path(self, version: str) -> Path:
        """Return the folder of a version."""
        return self.root / version

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """Create a private folder to write into; it is removed afterwards unless `claim` moved it."""
        self.root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{self.name}-", suffix=".draft", dir=self.root))
        folder.chmod(0o755)
        try:
            with named_errors(self.root / self.name, inside=folder):
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
                number += 1  # another publisher claimed it between the check and the rename
                continue
            _fsync(self.root)
            return target.name

    def point_to(self, version: str, seal: str) -> None:
        """Publish `version` in one atomic step."""
        write_whole(self.pointer_path, f"{version} {seal}\n".encode("ascii"))

    def publish(self, version: str, seal: str) -> None:
        """Publish a version that `claim` returned. If the pointer cannot be written, the version is deleted again."""
        try:
            self.point_to(version, seal)
        except OSError:
            shutil.rmtree(self.path(version), ignore_errors=True)
            raise

    def prune(self, limit: int, limit_aside: int = 0, aside: Collection[str] = ()) -> list[str]:
        """Delete all but the newest `limit` versions, never the published one; return the deleted names.

        Versions in `aside` are counted separately: the newest `limit_aside` of them stay.
        """
        published, names = self.pointer(), self.versions()
        counted = [name for name in names if name not in aside]
        separate = [name for name in names if name in aside]
        old = [name for name in (*counted[limit:], *separate[limit_aside:]) if published is None or name != published.version]
        for name in old:
            shutil.rmtree(self.path(name), ignore_errors=True)
        return old


def write_whole(path: Path, body: bytes) -> None:
    """Write a file in one atomic step: a reader sees the whole old file or the whole new file."""
    with named_errors(path):
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with named_errors(path, inside=Path(temporary)):
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    _fsync(path.parent)


@contextmanager
def named_errors(path: Path, *, inside: Path | None = None) -> Iterator[None]:
    """Name `path` in an OSError without a file name, or with that of the temporary file or folder `inside`.

    A write to a full disk raises an error without a name. The one of numpy has no `errno` either; it becomes ENOSPC.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None and "requested and" in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        temporary = inside is not None and str(error.filename).startswith(str(inside))
        if error.errno is not None and (error.filename is None or temporary):
            error.filename = str(path)
        raise


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
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
