"""Publishes, verifies, loads and rolls back models. No pickled data is read."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing import array_schemas, private_copies
from recommendation_service.publishing.manifest import FILE_NAME, NOT_PUBLISHED, FileSeal, Manifest
from recommendation_service.publishing.versions import VersionedFolder, sha256_of

MAX_VERSIONS = 5
MAX_CANDIDATES = 2  # refused versions beside them
_PLAIN_KINDS = "fiubS"  # floats, integers, booleans, bytes: no objects, so nothing to unpickle


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """One published model, verified: its manifest and its arrays, memory-mapped read-only."""

    version: str
    manifest: Manifest
    arrays: Mapping[str, AnyArray]


@dataclass(frozen=True, slots=True)
class ArtifactStore:
    """The models of one catalogue, `models/<catalogue>/`."""

    root: Path

    def folder(self, kind: str) -> VersionedFolder:
        """Return all versions of one kind of model."""
        return VersionedFolder(self.root, kind)

    def publish(
        self,
        kind: str,
        arrays: Mapping[str, AnyArray],
        *,
        catalogue: str,
        parameters: Mapping[str, Any],
        dataset: Mapping[str, Any],
        metrics: Mapping[str, Any],
        warnings: tuple[str, ...] = (),
        libraries: Mapping[str, str] | None = None,
        created_at: datetime | None = None,
        refused: tuple[str, ...] = (),
    ) -> Artifact:
        """Write a new version, read it back as a server does, and publish it. A failure publishes nothing.

        With reasons in `refused`, the version is only kept, as a candidate: `rollback` publishes it by its name.
        """
        versions = self.folder(kind)
        array_schemas.check(kind, arrays, where=f"{catalogue}/{kind}")
        with versions.draft() as draft:
            files = {f"{name}.npy": _write(draft / f"{name}.npy", array) for name, array in sorted(arrays.items())}
            manifest = Manifest(
                kind=kind,
                catalogue=catalogue,
                created_at=(created_at or datetime.now(UTC)).isoformat(timespec="seconds"),
                parameters=dict(parameters),
                dataset=dict(dataset),
                metrics=dict(metrics),
                files=files,
                warnings=tuple(f"{NOT_PUBLISHED}{reason}" for reason in refused) + warnings,
                libraries=dict(libraries or {}),
            )
            (draft / FILE_NAME).write_bytes(manifest.to_bytes())
            read_folder(draft, kind)
            version = versions.claim(draft)
        if not refused:
            versions.publish(version, manifest.seal)
        candidates = self.candidates(kind)
        versions.prune(MAX_VERSIONS, MAX_CANDIDATES, set(candidates))
        private_copies.remove_unneeded(self.root, self._seals())
        return read_folder(versions.path(version), kind)

    def candidates(self, kind: str) -> dict[str, Manifest]:
        """Return the manifests of the kept versions that the gate refused, newest first, without a published one."""
        versions, found = self.folder(kind), dict[str, Manifest]()
        published = versions.pointer()
        for name in versions.versions():
            with contextlib.suppress(ArtifactRefused, OSError):
                manifest = Manifest.from_bytes((versions.path(name) / FILE_NAME).read_bytes(), place=name)
                if manifest.is_candidate and (published is None or published.version != name):
                    found[name] = manifest
        return found

    def _seals(self) -> set[str]:
        """Return the SHA-256 of every file of every version with a readable manifest."""
        seals: set[str] = set()
        for path in self.root.glob(f"*_v*/{FILE_NAME}"):
            with contextlib.suppress(ArtifactRefused, OSError):
                manifest = Manifest.from_bytes(path.read_bytes(), place=path.parent.name)
                seals.update(seal.sha256 for seal in manifest.files.values())
        return seals

    def load(self, kind: str) -> Artifact | None:
        """Return the published model of that kind, verified byte by byte; None if there is none.

        Raises ArtifactRefused, which names the version, if it is damaged.
        """
        versions = self.folder(kind)
        if not versions.pointer_path.exists():
            return None
        pointer = versions.pointer()
        if pointer is None:
            raise ArtifactRefused(f"{versions.pointer_path.name} is not a pointer; write it again with: cli rollback {kind}")
        return read_folder(versions.path(pointer.version), kind, seal=pointer.seal)

    def rollback(self, kind: str, version: str | None = None) -> Artifact:
        """Publish `version` again, or the newest valid one before the published one. Raises ArtifactRefused without one.

        Candidates, which the gate refused, are published by name only.
        """
        versions = self.folder(kind)
        today = versions.pointer()
        choices = [version] if version else [name for name in versions.versions() if _is_older(versions, name, today)]
        for name in choices:
            if versions.number(name) is None or not versions.path(name).is_dir():
                raise ArtifactRefused(
                    f"{name} is not a version of {kind}; there are {', '.join(versions.versions()) or 'none'}"
                )
            try:
                artifact = read_folder(versions.path(name), kind)
            except ArtifactRefused:
                if version:
                    raise
                continue
            if artifact.manifest.is_candidate and not version:
                continue
            versions.point_to(name, artifact.manifest.seal)
            return artifact
        raise ArtifactRefused(f"no older good version of {kind} to roll back to; train it again with: train_all")


def _is_older(versions: VersionedFolder, name: str, today: Any) -> bool:
    return today is None or (versions.number(name) or 0) < (versions.number(today.version) or 0)


def read_folder(folder: Path, kind: str, *, seal: str | None = None, serving: bool = False) -> Artifact:
    """Verify a version's folder against its manifest and map its arrays. Raises ArtifactRefused, which names the file.

    With `serving`, private copies are mapped, which stay intact if the folder changes.
    """
    try:
        raw = (folder / FILE_NAME).read_bytes()
    except OSError as error:
        raise ArtifactRefused(f"{folder.name}: {FILE_NAME} is missing ({error.strerror}); publish the model again") from error
    manifest = Manifest.from_bytes(raw, place=folder.name)
    if manifest.kind != kind:
        raise ArtifactRefused(f"{folder.name}: holds a model of kind {manifest.kind}, not {kind}")
    if seal is not None and manifest.seal != seal:
        raise ArtifactRefused(f"{folder.name}: is not the set that was published under this name; publish it again")
    arrays = {
        name.removesuffix(".npy"): _read(folder, name, wanted, serving=serving) for name, wanted in manifest.files.items()
    }
    array_schemas.check(kind, arrays, where=folder.name)
    return Artifact(folder.name, manifest, arrays)


def _write(path: Path, array: AnyArray) -> FileSeal:
    whole = np.ascontiguousarray(array)
    if whole.dtype.kind not in _PLAIN_KINDS:
        raise ArtifactRefused(f"{path.name}: {whole.dtype} cannot be published; use numbers or bytes")
    if whole.size == 0:
        raise ArtifactRefused(f"{path.name}: is empty; an empty model is never published")
    if whole.dtype.kind == "f" and not np.isfinite(whole).all():
        raise ArtifactRefused(f"{path.name}: contains NaN or infinity; lower the learning rate or check the data")
    np.save(path, whole, allow_pickle=False)
    return FileSeal(sha256_of(path), path.stat().st_size, whole.dtype.str, whole.shape)


def _read(folder: Path, name: str, wanted: FileSeal, *, serving: bool) -> AnyArray:
    path = folder / name
    if Path(name).name != name or not name.endswith(".npy") or path.is_symlink():
        raise ArtifactRefused(f"{folder.name}: {name!r} is not a file name this program writes")
    try:
        if path.stat().st_size != wanted.bytes:
            raise ArtifactRefused(
                f"{folder.name}: {name} has {path.stat().st_size} bytes, not {wanted.bytes}; publish it again"
            )
        whole = sha256_of(path) == wanted.sha256
        mapped = private_copies.working_copy(path, wanted.sha256) if serving and whole else path
        if not whole or (mapped != path and sha256_of(mapped) != wanted.sha256):
            raise ArtifactRefused(f"{folder.name}: {name} was damaged after it was published; publish the model again")
        array: AnyArray = np.load(mapped, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ArtifactRefused(f"{folder.name}: {name} cannot be read ({error}); publish the model again") from error
    if array.dtype.str != wanted.dtype or array.shape != wanted.shape or array.size == 0:
        raise ArtifactRefused(f"{folder.name}: {name} is {array.dtype.str}{array.shape}, not {wanted.dtype}{wanted.shape}")
    if array.dtype.kind not in _PLAIN_KINDS or (array.dtype.kind == "f" and not np.isfinite(array).all()):
        raise ArtifactRefused(f"{folder.name}: {name} has values that a model cannot have")
    return array
