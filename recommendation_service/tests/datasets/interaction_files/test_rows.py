"""Rows of files that name their columns: any delimiter, packed, UTF-16, Parquet."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from recommendation_service.datasets.interaction_files.rows import column_names, read_rows
from recommendation_service.errors import DatasetError

TEXT = 'user,title\nu1,"Postman, The"\nu2,Ünder\n'
ROWS = [(2, {"user": "u1", "title": "Postman, The"}), (3, {"user": "u2", "title": "Ünder"})]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_packed_files_and_encodings_with_a_byte_order_mark_are_read(
    tmp_path: Path, pack: Callable[[bytes], bytes], encoding: str
) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(pack(TEXT.encode(encoding)))
    assert column_names(path) == ["user", "title"]
    assert list(read_rows(path)) == ROWS


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "::"])
def test_a_delimiter_is_detected_or_given(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "log.dat"
    path.write_text(f"user{delimiter}item\nu1{delimiter}7\n")
    for option in (None, delimiter, delimiter.replace("\t", "\\t")):
        assert column_names(path, option) == ["user", "item"]
        assert list(read_rows(path, option)) == [(2, {"user": "u1", "item": "7"})]


def test_rows_of_a_parquet_file_are_numbered_from_one(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    parquet.write_table(pyarrow.table({"user": ["a", "b"], "item": [1, 2]}), path)
    assert column_names(path) == ["user", "item"]
    assert list(read_rows(path)) == [(1, {"user": "a", "item": 1}), (2, {"user": "b", "item": 2})]


@pytest.mark.parametrize(("name", "content"), [("a.parquet", b"user,item"), ("latin.csv", b"us\xe9r,item\n")])
def test_an_unreadable_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=f"{name}: "):
        list(read_rows(path))
    with pytest.raises(DatasetError, match=f"{name}: cannot be read"):
        column_names(path)


def test_a_packed_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode() * 99)[:40])
    with pytest.raises(DatasetError, match=r"cut.csv.gz: line \d+: "):
        list(read_rows(path))


def test_an_empty_file_has_no_columns_and_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.touch()
    assert column_names(path) == []
    assert list(read_rows(path)) == []


def test_a_line_that_is_not_utf8_is_named_after_the_rows_before_it(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(TEXT.encode() + b"x" * 20_000 + b"\nu3,m\xff\n")
    rows = read_rows(path)
    assert next(rows) == ROWS[0]
    with pytest.raises(DatasetError, match=r"log.csv: line \d+: .*give a CSV in UTF-8"):
        list(rows)
