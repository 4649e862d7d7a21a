"""The manifest of one published model: its origin, its parameters, and checksums of all its files."""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from recommendation_service.errors import ArtifactRefused

FORMAT = 1
FILE_NAME = "manifest.json"
NOT_PUBLISHED = "not published: "  # begins a warning of a version that the gate refused and that is kept as a candidate
_KEYS = frozenset(
    {"format", "kind", "catalogue", "created_at", "parameters", "dataset", "metrics", "warnings", "libraries", "files", "seal"}
)


@dataclass(frozen=True, slots=True)
class FileSeal:
    """Checksum, size, type and shape of one file."""

    sha256: str
    bytes: int
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything known about a published model. `parameters`, `dataset` and `metrics` are plain JSON values."""

    kind: str
    catalogue: str
    created_at: str  # ISO 8601, UTC
    parameters: dict[str, Any]
    dataset: dict[str, Any]  # fingerprint, counts, newest event
    metrics: dict[str, Any]
    files: dict[str, FileSeal]
    warnings: tuple[str, ...] = ()
    libraries: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """Return the bytes of the manifest file, its own seal included."""
        body = asdict(self)
        return _canonical({**body, "seal": _seal(body)})

    @property
    def is_candidate(self) -> bool:
        """True if the gate refused this version. It is kept, is published by name only, and no rollback chooses it."""
        return any(warning.startswith(NOT_PUBLISHED) for warning in self.warnings)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the names and contents of the arrays: equal for two models that answer in the same way."""
        return sha256("".join(f"{name} {seal.sha256}\n" for name, seal in sorted(self.files.items())).encode()).hexdigest()

    @property
    def seal(self) -> str:
        """SHA-256 of everything else in the manifest; the pointer file repeats it."""
        return _seal(asdict(self))

    @classmethod
    def from_bytes(cls, raw: bytes, *, place: str) -> "Manifest":
        """Parse and verify a manifest. Raises ArtifactRefused, which names `place`, if a single bit was changed."""
        try:
            body = json.loads(raw)
            claimed = body.pop("seal")
            if body["format"] > FORMAT:
                raise ArtifactRefused(
                    f"{place}: format {body['format']} is newer than {FORMAT}; upgrade this program, or roll back"
                )
            intact = claimed == _seal(body) and raw == _canonical({**body, "seal": claimed})
            if not intact or set(body) | {"seal"} != _KEYS:
                raise ArtifactRefused(f"{place}: {FILE_NAME} was changed after it was written; publish the model again")
            seals = {name: FileSeal(**{**seal, "shape": tuple(seal["shape"])}) for name, seal in body["files"].items()}
            return cls(**{**body, "files": seals, "warnings": tuple(body["warnings"])})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ArtifactRefused(f"{place}: {FILE_NAME} cannot be read ({error}); publish the model again") from error


def _seal(body: dict[str, Any]) -> str:
    return sha256(_canonical(body)).hexdigest()


def _canonical(body: dict[str, Any]) -> bytes:
    return (json.dumps(body, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode("ascii")
