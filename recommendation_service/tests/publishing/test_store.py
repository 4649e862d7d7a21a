"""Publishing is all or nothing, and no damaged byte is ever served."""

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.manifest import FILE_NAME, FORMAT, Manifest
from recommendation_service.publishing.store import MAX_VERSIONS, Artifact, ArtifactStore, read_folder
from recommendation_service.tests.support import service


def small(seed: int = 0) -> dict[str, Any]:
    return service.als_arrays(seed, items=["a", "b", "c"], k=2)


def _publish(store: ArtifactStore, arrays: dict[str, Any], kind: str = "als") -> Artifact:
    return store.publish(kind, arrays, catalogue="startups", parameters={}, dataset={}, metrics={})


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    made = ArtifactStore(tmp_path / "models" / "startups")
    _publish(made, small())
    return made


def _folder(store: ArtifactStore) -> Path:
    return store.root / "als_v1"


def test_what_was_published_is_read_back_unchanged(store: ArtifactStore) -> None:
    found = store.load("als")
    assert found is not None
    assert (found.version, found.manifest.kind) == ("als_v1", "als")
    for name, array in small().items():
        assert np.array_equal(found.arrays[name], array)
        assert not found.arrays[name].flags.writeable


def test_nothing_published_is_none(tmp_path: Path) -> None:
    assert ArtifactStore(tmp_path).load("als") is None


def test_every_single_flipped_bit_of_every_file_is_noticed(store: ArtifactStore) -> None:
    flips = 0
    for path in sorted(_folder(store).iterdir()):
        whole = path.read_bytes()
        for place in range(len(whole)):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << (place % 8)
            path.write_bytes(damaged)
            with pytest.raises(ArtifactRefused):
                store.load("als")
            flips += 1
        path.write_bytes(whole)
    assert flips > 1500
    assert store.load("als") is not None


def test_a_flipped_bit_of_the_pointer_never_serves_another_set(store: ArtifactStore) -> None:
    _publish(store, small(1))
    pointer = store.root / "als.current"
    whole = pointer.read_bytes()
    served = store.load("als")
    assert served is not None
    for place in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            pointer.write_bytes(damaged)
            try:
                found = store.load("als")
            except ArtifactRefused:
                continue
            assert found is not None
            assert found.manifest.seal == served.manifest.seal  # white space only


@pytest.mark.parametrize("name", [*(f"{name}.npy" for name in small()), FILE_NAME])
def test_a_file_cut_at_any_of_64_points_is_refused_and_named(store: ArtifactStore, name: str) -> None:
    path = _folder(store) / name
    whole = path.read_bytes()
    for cut in np.linspace(0, len(whole) - 1, 64).astype(int):
        path.write_bytes(whole[:cut])
        with pytest.raises(ArtifactRefused, match=name):
            store.load("als")


@pytest.mark.parametrize("name", [*(f"{name}.npy" for name in small()), FILE_NAME])
def test_a_missing_file_is_refused_and_named(store: ArtifactStore, name: str) -> None:
    (_folder(store) / name).unlink()
    with pytest.raises(ArtifactRefused, match=name):
        store.load("als")


def test_a_set_exchanged_for_another_whole_one_is_refused(store: ArtifactStore) -> None:
    _publish(store, small(1))
    (store.root / "als_v1").rename(store.root / "spare")
    (store.root / "als_v2").rename(store.root / "als_v1")
    (store.root / "spare").rename(store.root / "als_v2")
    with pytest.raises(ArtifactRefused, match="not the set that was published"):
        store.load("als")


def test_a_set_of_another_kind_is_refused(store: ArtifactStore) -> None:
    (store.root / "als_v1").rename(store.root / "content_v1")
    seal = (store.root / "als.current").read_text().split()[1]
    (store.root / "content.current").write_text(f"content_v1 {seal}\n")
    with pytest.raises(ArtifactRefused, match="kind als, not content"):
        store.load("content")


@pytest.mark.parametrize(
    "text", ["", "als_v1", "als_v1 x y", "../als_v1 x", "als_v0 x", "als_v1\u00b2 x", "als_v999999999999 x", "/etc x"]
)
def test_a_pointer_that_is_no_pointer_is_refused(store: ArtifactStore, text: str) -> None:
    (store.root / "als.current").write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactRefused, match="not a pointer"):
        store.load("als")


def _rewrite(folder: Path, change: Callable[[Manifest], Manifest]) -> None:
    """Change the manifest and seal it again, as somebody who knows the format would."""
    path = folder / FILE_NAME
    path.write_bytes(change(Manifest.from_bytes(path.read_bytes(), place="test")).to_bytes())


def test_a_newer_format_is_refused_with_the_two_numbers(store: ArtifactStore) -> None:
    _rewrite(_folder(store), lambda manifest: replace(manifest, format=FORMAT + 1))
    with pytest.raises(ArtifactRefused, match=rf"format {FORMAT + 1} is newer than {FORMAT}"):
        read_folder(_folder(store), "als")


PATHS = [
    "../als.current", "/etc/passwd", "..", ".", "", "a/../gram.npy", "..\\gram.npy", "%2e%2e%2fgram.npy", "%252e%252e/gram.npy",
    "C:\\gram.npy", "gram.npy/", "./gram.npy", "gram.npy\x00", "\u2025/gram.npy", "sub/gram.npy", "gram.NPY", "gram.pkl",
    "//host/gram.npy",
]  # fmt: skip


@pytest.mark.parametrize("name", PATHS)
def test_a_manifest_that_names_other_places_is_refused(store: ArtifactStore, name: str) -> None:
    _rewrite(_folder(store), lambda manifest: replace(manifest, files={name: manifest.files["gram.npy"]}))
    with pytest.raises(ArtifactRefused):
        read_folder(_folder(store), "als")


def test_a_link_in_place_of_a_file_is_refused(store: ArtifactStore) -> None:
    path = _folder(store) / "gram.npy"
    path.rename(store.root / "elsewhere.npy")
    path.symlink_to(store.root / "elsewhere.npy")
    with pytest.raises(ArtifactRefused, match=r"gram\.npy"):
        store.load("als")


class Canary:
    """Unpickling it would leave a file behind."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("kind", ["a bare pickle", "an array of objects"])
def test_a_pickle_is_never_executed_however_well_it_is_sealed(store: ArtifactStore, tmp_path: Path, kind: str) -> None:
    marker, path = tmp_path / "executed", _folder(store) / "gram.npy"
    if kind == "a bare pickle":
        path.write_bytes(pickle.dumps(Canary(marker)))
    else:
        np.save(path, np.array([[Canary(marker)]], dtype=object), allow_pickle=True)
    seal = replace(Manifest.from_bytes((_folder(store) / FILE_NAME).read_bytes(), place="x").files["gram.npy"])
    seal = replace(seal, sha256=sha256(path.read_bytes()).hexdigest(), bytes=path.stat().st_size, dtype="|O", shape=(1, 1))
    _rewrite(_folder(store), lambda manifest: replace(manifest, files={**manifest.files, "gram.npy": seal}))
    with pytest.raises(ArtifactRefused, match=r"gram\.npy"):
        read_folder(_folder(store), "als")
    assert not marker.exists()


def test_a_header_that_claims_a_trillion_rows_is_refused_before_allocating(store: ArtifactStore) -> None:
    path = _folder(store) / "gram.npy"
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 2), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    seal = Manifest.from_bytes((_folder(store) / FILE_NAME).read_bytes(), place="x").files["gram.npy"]
    claimed = replace(seal, sha256=sha256(path.read_bytes()).hexdigest(), bytes=path.stat().st_size, shape=(10**12, 2))
    _rewrite(_folder(store), lambda manifest: replace(manifest, files={**manifest.files, "gram.npy": claimed}))
    with pytest.raises(ArtifactRefused, match=r"gram\.npy"):
        read_folder(_folder(store), "als")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_is_refused_by_publisher_and_reader(store: ArtifactStore, value: float) -> None:
    arrays = small()
    arrays["item_factors"][1, 1] = value
    with pytest.raises(ArtifactRefused, match=r"item_factors.*NaN or infinity"):
        _publish(store, arrays)
    path = _folder(store) / "item_factors.npy"
    np.save(path, arrays["item_factors"])
    seal = Manifest.from_bytes((_folder(store) / FILE_NAME).read_bytes(), place="x").files["item_factors.npy"]
    resealed = replace(seal, sha256=sha256(path.read_bytes()).hexdigest())
    _rewrite(_folder(store), lambda manifest: replace(manifest, files={**manifest.files, "item_factors.npy": resealed}))
    with pytest.raises(ArtifactRefused, match="item_factors"):
        read_folder(_folder(store), "als")


@pytest.mark.parametrize(
    "array", [np.empty((0, 2), dtype=np.float32), np.array([object()]), np.array(["text"]), np.array([1 + 2j])]
)
def test_what_is_empty_or_not_plain_is_never_published(store: ArtifactStore, array: Any) -> None:
    with pytest.raises(ArtifactRefused):
        _publish(store, {"anything": array}, kind="other")
    assert not (store.root / "other.current").exists()


def test_a_refused_publication_leaves_no_trace(store: ArtifactStore) -> None:
    before = sorted(path.name for path in store.root.iterdir())
    with pytest.raises(ArtifactRefused):
        _publish(store, {**small(), "item_factors": np.full((3, 2), np.nan, dtype=np.float32)})
    assert sorted(path.name for path in store.root.iterdir()) == before


def test_old_versions_are_kept_up_to_a_number_and_the_published_one_always(store: ArtifactStore) -> None:
    for seed in range(1, MAX_VERSIONS + 3):
        _publish(store, small(seed))
    assert len(store.folder("als").versions()) == MAX_VERSIONS
    assert store.load("als") is not None


def test_rollback_goes_to_the_newest_good_one_below(store: ArtifactStore) -> None:
    for seed in (1, 2, 3):
        _publish(store, small(seed))
    (store.root / "als_v3" / "gram.npy").write_bytes(b"")
    assert store.rollback("als").version == "als_v2"
    assert store.rollback("als").version == "als_v1"
    with pytest.raises(ArtifactRefused, match="no older good version"):
        store.rollback("als")
    assert store.rollback("als", "als_v4").version == "als_v4"


@pytest.mark.parametrize("version", ["als_v9", "content_v1", "../als_v1", "", "als_v01"])
def test_rollback_refuses_what_is_no_version_of_that_kind(store: ArtifactStore, version: str) -> None:
    with pytest.raises(ArtifactRefused):
        store.rollback("als", version or "als_v")


def test_the_manifest_has_one_way_of_being_written(store: ArtifactStore) -> None:
    raw = (_folder(store) / FILE_NAME).read_bytes()
    assert Manifest.from_bytes(raw, place="x").to_bytes() == raw
    with pytest.raises(ArtifactRefused):
        Manifest.from_bytes(json.dumps(json.loads(raw)).encode(), place="x")


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b"{}", b'{"format": "x"}', b"[" * 100_000, b"\xff\xfe", b'{"seal": 1, "format": 1}']
)
def test_what_is_no_manifest_is_refused_not_an_error(raw: bytes) -> None:
    with pytest.raises(ArtifactRefused):
        Manifest.from_bytes(raw, place="x")
