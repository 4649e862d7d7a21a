"""Follows a published version: it is loaded if it is valid; otherwise the last valid version stays in use."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from recommendation_service.errors import TandemError
from recommendation_service.publishing.versions import VersionedFolder

T = TypeVar("T")
Signature = tuple[tuple[str, int, int, int], ...]  # name, inode, bytes, changed at (ns) of each file

FIRST_RETRY_S = 4.0
LONGEST_RETRY_S = 300.0

log = logging.getLogger(__name__)


class Watched(Generic[T]):
    """Follows the pointer of a VersionedFolder.

    `value` is what to serve now, or None if there is no valid version. `version` is its name. `problem` says why
    `value` is not the published version, or is None if it is. A refused version is read again only if its pointer or
    files change, or after a delay that doubles each time.
    """

    def __init__(
        self,
        folder: VersionedFolder,
        read: Callable[[Path, str | None], T],
        *,
        refused: Callable[[str], None] = lambda _name: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Store `read(folder, seal)`, which opens a valid version or raises TandemError, and `refused(name)`, a counter."""
        self.folder = folder
        self.value: T | None = None
        self.version: str | None = None
        self.problem: str | None = None
        self._read, self._refused, self._clock = read, refused, clock
        self._pointer: tuple[int, int, bytes] | None = None  # as of the last call
        self._published: Signature = ()
        self._loaded: Signature = ()  # the files behind `value`
        self._retry_at = float("inf")
        self._delay = FIRST_RETRY_S

    def look(self) -> bool:
        """Load what was published since the last call; return True if `value` changed."""
        before = self.value
        pointer = self._pointer_now()
        if pointer is None:
            self._pointer = None
            self._drop(None)
            return before is not None
        published = self._signature(self._target())
        loaded_is_intact = self.version is None or self._loaded_intact()
        same = pointer == self._pointer and published == self._published
        if same and loaded_is_intact and self._clock() < self._retry_at:
            return False
        if not same:
            self._delay = FIRST_RETRY_S
        self._pointer, self._published = pointer, published
        self._take(loaded_is_intact)
        return self.value is not before

    def _take(self, loaded_is_intact: bool) -> None:
        pointer = self.folder.pointer()
        try:
            if pointer is None:
                raise TandemError(f"{self.folder.pointer_path.name} is not a pointer; write it again with: cli rollback")
            self._load(pointer.version, pointer.seal)
        except TandemError as error:
            self._refuse(error, loaded_is_intact)
            return
        self.problem, self._retry_at = None, float("inf")

    def _refuse(self, error: TandemError, loaded_is_intact: bool) -> None:
        self._refused(self.folder.name)
        self._retry_at = self._clock() + self._delay
        self._delay = min(self._delay * 2, LONGEST_RETRY_S)
        self.problem = error.message
        if not loaded_is_intact:
            self._drop(error.message)  # it was changed in place, so the published bytes are not the verified ones
        if self.value is None:
            self._fall_back()
        remaining = f"{self.version} keeps serving" if self.version else "nothing older verifies"
        log.error("%s/%s refused: %s; %s", self.folder.root.name, self.folder.name, error.message, remaining)

    def _fall_back(self) -> None:
        pointer = self.folder.pointer()
        ceiling = self.folder.number(pointer.version) if pointer else None
        for name in self.folder.versions():
            if ceiling is not None and (self.folder.number(name) or 0) >= ceiling:
                continue
            try:
                self._load(name, None)
            except TandemError:
                continue
            return

    def _load(self, version: str, seal: str | None) -> None:
        folder = self.folder.path(version)
        files = self._signature(folder)  # before reading, so that a later change is always noticed
        self.value, self.version, self._loaded = self._read(folder, seal), version, files

    def _drop(self, problem: str | None) -> None:
        self.value, self.version, self.problem, self._loaded = None, None, problem, ()

    def _loaded_intact(self) -> bool:
        """Return False if a file of `value` was changed in place; a deleted file stays mapped and intact."""
        folder = self.folder.path(self.version or "")
        now = {name: rest for name, *rest in self._signature(folder)}
        return all(now.get(name, rest) == rest or now[name][0] != rest[0] for name, *rest in self._loaded)

    def _target(self) -> Path | None:
        pointer = self.folder.pointer()
        return self.folder.path(pointer.version) if pointer else None

    def _pointer_now(self) -> tuple[int, int, bytes] | None:
        try:
            stat = self.folder.pointer_path.stat()
            return stat.st_ino, stat.st_mtime_ns, self.folder.pointer_path.read_bytes()[:256]
        except OSError:
            return None

    @staticmethod
    def _signature(folder: Path | None) -> Signature:
        if folder is None:
            return ()
        try:
            stats = sorted((path.name, path.stat()) for path in folder.iterdir())
        except OSError:
            return ()
        return tuple((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
