"""Any file of who did what: tables with any header, sequence lines, Parquet; and clear words for anything else."""

from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from recommendation_service.benchmarks.quality.logs import Log, read_log
from recommendation_service.errors import DatasetError


def told(log: Log) -> list[tuple[str, str]]:
    pairs = zip(log.users.tolist(), log.items.tolist(), strict=True)
    return [(log.user_ids.id(user), log.item_ids.id(item)) for user, item in pairs]


def written(folder: Path, text: str, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "userId,movieId,rating,timestamp\n1,31,2.5,300\n1,7,4,100\n2,31,5,200\n",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t31\t2.5\t300\n1\t7\t4\t100\n2\t31\t5\t200\n",
        "1::31::2.5::300\n1::7::4::100\n2::31::5::200\n",
        "timestamp;stars;asin;reviewerID\n300;2.5;31;1\n100;4;7;1\n200;5;31;2\n",
        "1 31 2.5 300\n1 7 4 100\n2 31 5 200\n",
        "user,item,rating,time\n1,31,2.5,1970-01-01T00:05:00\n1,7,4,1970-01-01 00:01:40+00:00\n2,31,5,1970-01-01T00:03:20Z\n",
    ],
    ids=["movielens", "recbole", "colons", "other words and order", "spaces without a header", "iso times"],
)
def test_a_table_is_read_whatever_its_header_and_delimiter(tmp_path: Path, text: str) -> None:
    log = read_log(written(tmp_path, text))
    assert told(log) == [("1", "7"), ("2", "31"), ("1", "31")]
    assert log.values is not None
    assert log.values.tolist() == [4.0, 5.0, 2.5]
    assert log.times.tolist() == [100.0, 200.0, 300.0]
    assert log.timed


def test_a_table_of_two_columns_is_in_the_order_of_the_file(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, "customer,product\nb,y\na,x\nb,x\n"))
    assert told(log) == [("b", "y"), ("a", "x"), ("b", "x")]
    assert log.values is None
    assert not log.timed


def test_lines_of_items_are_one_persons_past_in_order(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, "1 5 3 9\n2 3\n\n3 9 5 3 1 2\n", "log.txt"))
    assert told(log)[:4] == [("1", "5"), ("1", "3"), ("1", "9"), ("2", "3")]
    assert len(log) == 9


def test_parquet_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    table = pyarrow.table({"when": [2, 1], "item": ["x", "y"], "user": [7, 7]})
    parquet.write_table(table, tmp_path / "log.parquet")
    assert told(read_log(tmp_path / "log.parquet")) == [("7", "y"), ("7", "x")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("user,item\n", "a header and no rows"),
        ("user,item,rating\n1,2,good\n", "a rating is no number"),
        ("user,item,time\n1,2,yesterday\n", "neither a number nor ISO 8601"),
        ("user,item,time\n1,2,nan\n", "no finite number"),
        ("only\none\ncolumn\n", "neither a table of user and item nor lines"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        read_log(written(tmp_path, text))


def test_a_row_too_short_further_down_is_named_by_its_line(tmp_path: Path) -> None:
    rows = "".join(f"u{n},i{n},{n}\n" for n in range(40))
    with pytest.raises(DatasetError, match="line 42: 1 columns, 3 are needed"):
        read_log(written(tmp_path, f"user,item,time\n{rows}broken\n"))


def test_binary_and_missing_files_are_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "log.parquet").write_bytes(b"PAR0")
    for name in ("log.csv", "log.parquet", "nowhere.csv"):
        with pytest.raises(DatasetError):
            read_log(tmp_path / name)
