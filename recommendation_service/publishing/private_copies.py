"""Working copies of published arrays: what a server maps, so that nobody can pull the bytes from under it.

A file that is cut short while it is mapped kills the process at the next touch (SIGBUS), and no check can come before
that. So servers map `models/<catalogue>/.mapped/<sha256>.npy`, which nothing but this module touches; workers share
it, so memory is still shared. Publishing removes the copies that no version needs; a mapped one lives on until unmapped.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

from recommendation_service.publishing.versions import sha256_of

FOLDER = ".mapped"
_READ_ONLY = 0o444


def working_copy(path: Path, sha256: str) -> Path:
    """The copy of a published file, made if there is none that is whole; `path` itself where none can be written.

    The copy's content is not trusted: the caller verifies what it maps.
    """
    folder = path.parent.parent / FOLDER
    copy = folder / f"{sha256}.npy"
    with contextlib.suppress(OSError):
        if copy.is_file() and copy.stat().st_size == path.stat().st_size and sha256_of(copy) == sha256:
            return copy
    try:
        folder.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".copy-", dir=folder)
        os.close(handle)
        draft = Path(name)
        try:
            shutil.copyfile(path, draft)
            draft.chmod(_READ_ONLY)
            draft.replace(copy)
        finally:
            draft.unlink(missing_ok=True)
    except OSError:  # a read-only or full disk: the published file serves as well, only less safely
        return path
    return copy


def remove_unneeded(root: Path, needed: Collection[str]) -> None:
    """Remove the copies under `root` whose SHA-256 is not in `needed`."""
    for copy in (root / FOLDER).glob("*.npy"):
        if copy.stem not in needed:
            with contextlib.suppress(OSError):
                copy.unlink()
