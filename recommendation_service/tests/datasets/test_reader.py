"""Reading exports: what is damaged, missing or too new is refused with the fix."""

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommendation_service.datasets.reader import NEEDED, SUMMARY, Dataset, export_folder
from recommendation_service.datasets.records import FORMAT, ItemRecord
from recommendation_service.errors import DatasetError
from recommendation_service.tests.support.exports import clubs, write_export
from recommendation_service.use_cases.loader import load


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("written")
    write_export(root, load("startups"), *clubs(people=6, items=6, events_each=2))
    return root


@pytest.fixture
def data(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "data")
    return tmp_path / "data"


def _folder(data: Path) -> Path:
    return data / "startups" / "export_v1"


def _reseal(data: Path, change: dict[str, Any]) -> None:
    """Change the summary and point to it, as somebody who knows the format would."""
    path = _folder(data) / SUMMARY
    raw = json.dumps({**json.loads(path.read_bytes()), **change}).encode()
    path.write_bytes(raw)
    export_folder(data, "startups").point_to("export_v1", sha256(raw).hexdigest())


def test_a_whole_export_opens(data: Path) -> None:
    dataset = Dataset.open(data, "startups")
    assert dataset.version == "export_v1"
    assert len(dataset.catalogue()) == 6
    assert [record.item_id for record in dataset.records()] == dataset.catalogue().ids.ids()
    assert dataset.interactions().shape == (len(dataset.user_ids), 6)
    assert len(list(dataset.profiles())) == len(dataset.user_ids)
    assert set(dataset.catalogue().facets) >= {"category", "tags"}


def test_a_missing_export_tells_the_command(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no export in .*; run: manage\.py generate_all_datasets"):
        Dataset.open(tmp_path, "startups")


def test_a_flipped_bit_in_any_file_is_noticed(data: Path) -> None:
    for path in sorted(_folder(data).iterdir()):
        whole = path.read_bytes()
        for place in {0, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
            damaged = bytearray(whole)
            damaged[place] ^= 4
            path.write_bytes(damaged)
            with pytest.raises(DatasetError, match=path.name.split(".")[0]):
                Dataset.open(data, "startups")
        path.write_bytes(whole)
    Dataset.open(data, "startups")


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_a_missing_or_empty_file_is_refused(data: Path, name: str) -> None:
    (_folder(data) / name).write_bytes(b"")
    with pytest.raises(DatasetError, match="damaged"):
        Dataset.open(data, "startups")
    (_folder(data) / name).unlink()
    with pytest.raises(DatasetError, match="cannot be read"):
        Dataset.open(data, "startups")


def test_a_newer_format_is_refused_with_both_numbers(data: Path) -> None:
    _reseal(data, {"format": FORMAT + 1})
    with pytest.raises(DatasetError, match=f"format {FORMAT + 1} is newer than this program's {FORMAT}"):
        Dataset.open(data, "startups")


def test_a_summary_that_leaves_out_a_needed_file_is_refused(data: Path) -> None:
    files = json.loads((_folder(data) / SUMMARY).read_bytes())["files"]
    del files["profiles.jsonl"]
    _reseal(data, {"files": files})
    with pytest.raises(DatasetError, match=r"does not list profiles\.jsonl"):
        Dataset.open(data, "startups")


@pytest.mark.parametrize("name", ["../export.current", "/etc/passwd", "..\\x", "a/b", ".."])
def test_a_summary_that_names_other_places_is_refused(data: Path, name: str) -> None:
    files = json.loads((_folder(data) / SUMMARY).read_bytes())["files"]
    _reseal(data, {"files": {name: "0" * 64, **files}})
    with pytest.raises(DatasetError, match="not a file name"):
        Dataset.open(data, "startups")


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b'{"format": 1}', b'{"format": "x"}', b'{"format": 1, "files": []}', b"[" * 50_000]
)
def test_a_summary_that_is_none_is_refused_not_an_error(data: Path, raw: bytes) -> None:
    (_folder(data) / SUMMARY).write_bytes(raw)
    export_folder(data, "startups").point_to("export_v1", sha256(raw).hexdigest())
    with pytest.raises(DatasetError):
        Dataset.open(data, "startups")


def test_an_array_of_objects_is_never_unpickled(data: Path) -> None:
    np.save(_folder(data) / "item_ids.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"Python objects|allow_pickle"):
        Dataset.open(data, "startups", verify=False).catalogue()


def test_columns_of_one_item_leave_those_of_the_others_unknown(tmp_path: Path) -> None:
    records = [
        ItemRecord("a", "A", "text", "c", ()),
        ItemRecord("b", "B", "text", "c", (), numbers={"size": 3.0}, text_columns={"kind": "villa"}),
        ItemRecord("c", "C", "text", "c", ()),
    ]
    side = write_export(tmp_path, load("startups"), records, []).catalogue().side
    assert side is not None
    assert side.ids == ("a", "b", "c")
    np.testing.assert_array_equal(side.numbers["size"], np.array([np.nan, 3, np.nan], dtype=np.float32))
    assert side.text_columns["kind"].tolist() == ["", "villa", ""]
