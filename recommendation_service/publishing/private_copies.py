"""Private copies of published arrays, which servers map in place of the published files.

If a mapped file is truncated, the next access kills the process (SIGBUS), and no check can prevent that. So servers map
`models/<catalogue>/.mapped/<sha256>.npy`, which only this module writes. Workers share these files, so memory is shared too.
Publishing removes copies that no version needs; a mapped copy stays on disk until it is unmapped.
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
    """Return the copy of a published file, created if there is no intact one; `path` itself if none can be written.

    The caller must verify what it maps.
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
    except OSError:  # a read-only or full disk: the published file is mapped, without the protection
        return path
    return copy


def remove_unneeded(root: Path, needed: Collection[str]) -> None:
    """Remove the copies under `root` whose SHA-256 is not in `needed`."""
    for copy in (root / FOLDER).glob("*.npy"):
        if copy.stem not in needed:
            with contextlib.suppress(OSError):
                copy.unlink()
