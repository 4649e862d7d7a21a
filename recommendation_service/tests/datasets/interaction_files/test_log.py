"""Any file of who did what: tables with any header, sequence lines, Parquet; and clear words for anything else."""

import bz2
import gzip
import string
import sys
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as some
from pyarrow import parquet

from recommendation_service.datasets.interaction_files.log import Log, read_log
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
    table = pyarrow.table({"when": ["2", "1"], "item": ["3", "4"], "user": [7, 7]})
    parquet.write_table(table, tmp_path / "log.parquet")
    assert told(read_log(tmp_path / "log.parquet")) == [("7", "4"), ("7", "3")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("user,item\n", "a header and no rows"),
        ("user,item,rating\n1,2,good\n", "a value is not a number"),
        ("user,item,time\n1,2,yesterday\n", "neither a number nor a date"),
        ("user,item,time\n1,2,nan\n", "no rows that name a user, an item and a time"),
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


FOUR = [("ann", "x 1", 4.0, 100.0), ("ann", "y", 2.0, 300.0), ("bob", "x 1", 5.0, 200.0), ("cat", "z", 1.0, 400.0)]
HEADERS = [
    ("userId", "movieId", "rating", "timestamp"),
    ("user_id:token", "item_id:token", "rating:float", "timestamp:float"),
    ("uid", "iid", "score", "ts"),
    ("reviewerID", "asin", "overall", "unixReviewTime"),
    ("user_id", "parent_asin", "rating", "timestamp"),
    ("user_id", "business_id", "stars", "date"),
    ("userID", "artistID", "weight", "time"),
    ("user", "artist_id", "plays", "datetime"),
    ("User-ID", "ISBN", "Book-Rating", "Date"),
    ("visitorid", "itemid", "label", "timestamp"),
    ("who", "what", "how_much", "moment"),
]


@pytest.mark.parametrize("header", HEADERS, ids=lambda one: one[0])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "::"])
def test_the_columns_of_common_sets_are_known_in_any_order_beside_others(
    tmp_path: Path, header: tuple[str, ...], delimiter: str
) -> None:
    lines = [delimiter.join([*header, "city", "review_text"])]
    lines += [
        delimiter.join([user, item, f"{value:g}", f"{when + 1.4e9:.0f}", "Bonn", "so it is"])
        for user, item, value, when in FOUR
    ]
    log = read_log(written(tmp_path, "\n".join(lines)))
    assert told(log) == [("ann", "x 1"), ("bob", "x 1"), ("ann", "y"), ("cat", "z")]
    assert log.values is not None
    assert log.values.tolist() == [4.0, 5.0, 2.0, 1.0]
    assert log.times.tolist() == [1.4e9 + when for when in (100, 200, 300, 400)]
    if header[0] != "who":
        turned = ["\n".join(delimiter.join(reversed(line.split(delimiter))) for line in lines)]
        assert told(read_log(written(tmp_path, turned[0]))) == told(log)


PLAIN = "user,item,rating,timestamp\na,x,4,100\na,y,2,300\nb,x,5,200\n"


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(PLAIN.encode()),
        bz2.compress(PLAIN.encode()),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\n\n").encode(),
        b"# of somebody, 2020\n\n" + PLAIN.replace("a,y", "# half\na,y").encode(),
        PLAIN.replace("a,x,4", '"a","x","4"').encode(),
        PLAIN.replace(",", " ").replace("x 4", "x   4").encode(),
        PLAIN.replace("100", "1970-01-01").replace("200", "1970-01-02").replace("300", "1970-01-03").encode(),
        PLAIN.replace("100", "100.25").encode(),
        PLAIN.replace("100", '"09 4, 2013"').replace("200", '"09 5, 2013"').replace("300", '"10 1, 2013"').encode(),
    ],
    ids=["gz", "bz2", "bom", "utf-16", "crlf", "blank lines", "comments", "quotes", "spaces", "dates", "fractions", "amazon"],
)
def test_the_same_table_is_read_however_it_is_written(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(content)
    log = read_log(path)
    assert told(log) == [("a", "x"), ("b", "x"), ("a", "y")]
    assert log.values is not None
    assert log.values.tolist() == [4.0, 5.0, 2.0]
    assert log.timed


def test_a_table_without_a_header_is_told_by_what_stands_in_it(tmp_path: Path) -> None:
    check_ins = "0\t2010-10-19T23:55:27Z\t30.23\t-97.79\t22847\n0\t2010-10-18T22:17:43Z\t30.26\t-97.76\t420315\n"
    log = read_log(written(tmp_path, check_ins))
    assert told(log) == [("0", "420315"), ("0", "22847")]
    assert log.values is None
    log = read_log(written(tmp_path, "A1,B0,5.0,1400000000\nA2,B1,3.0,1300000000\n"))
    assert told(log) == [("A2", "B1"), ("A1", "B0")]
    assert log.values is not None
    assert log.values.tolist() == [3.0, 5.0]
    assert len(read_log(written(tmp_path, "user1,item5\nuser2,item5\n"))) == 2
    assert len(read_log(written(tmp_path, "u1,i5,4\nu2,i6,3\n"))) == 2
    assert len(read_log(written(tmp_path, "bob,book,4\nann,hat,3\n"))) == 2
    log = read_log(written(tmp_path, "7,8,1400000000\n7,9,1300000000\n"))
    assert log.timed
    assert log.values is None


def test_rows_without_a_name_or_a_time_are_left_out_and_counted(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, "user,item,time\na,x,1\n,y,2\nb,,3\nc,z,\nd,z,NaN\n"))
    assert told(log) == [("a", "x")]
    assert log.notes == ("4 rows without a user, an item or a time left out",)


def test_a_quote_in_a_title_swallows_no_lines(tmp_path: Path) -> None:
    text = 'user\titem\ttitle\n1\ta\t12" vinyl\n2\tb\tplain\n3\tc\t7" single\n'
    assert [user for user, _ in told(read_log(written(tmp_path, text)))] == ["1", "2", "3"]


def test_a_quoted_text_of_many_lines_is_one_cell(tmp_path: Path) -> None:
    text = 'user,text,item\n1,"good, but\nslow",a\n2,fine,b\n'
    assert told(read_log(written(tmp_path, text))) == [("1", "a"), ("2", "b")]


def test_longer_rows_are_no_harm_where_the_columns_stand_before(tmp_path: Path) -> None:
    text = "user,item,title\n1,a,one\n2,b,two, and more\n"
    assert told(read_log(written(tmp_path, text))) == [("1", "a"), ("2", "b")]


def test_latin_letters_of_old_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes("user;item;city\n1;a;Köln\n2;b;Lyon\n".encode("latin-1"))
    assert told(read_log(path)) == [("1", "a"), ("2", "b")]


def test_lines_with_a_user_only_are_nobody(tmp_path: Path) -> None:
    for end in ("1 \n", "", "1"):
        log = read_log(written(tmp_path, "0 5 3 9\n1 \n2 3 5 9\n" + end), sequences=True)
        assert {user for user, _ in told(log)} == {"0", "2"}


def test_short_lines_are_lines_where_lines_are_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "0 5 3\n1 5 7\n2 3 9\n")
    assert told(read_log(path, sequences=True)) == [("0", "5"), ("0", "3"), ("1", "5"), ("1", "7"), ("2", "3"), ("2", "9")]
    assert len(read_log(path)) == 3
    stamped = written(tmp_path, "0 5 1400000000\n1 5 1400000001\n")
    assert len(read_log(stamped, sequences=True)) == 2


def test_counts_are_told_from_ratings_by_their_name(tmp_path: Path) -> None:
    assert read_log(written(tmp_path, "user,artist,plays\na,x,3\nb,y,900\n")).counts
    assert not read_log(written(tmp_path, "user,artist,stars\na,x,3\nb,y,5\n")).counts


IDS = some.text(string.ascii_letters + string.digits + "äß-_", min_size=1, max_size=8).map(lambda one: f"i{one}")


@given(
    rows=some.lists(some.tuples(IDS, IDS, some.integers(1, 5), some.integers(0, 2**31)), min_size=1, max_size=40),
    delimiter=some.sampled_from([",", "\t", ";", "|", " ", "::"]),
    order=some.permutations(range(4)),
)
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int, int]], delimiter: str, order: list[int]
) -> None:
    lines = [("user", "item", "rating", "time"), *rows]
    text = "\n".join(delimiter.join(str(line[place]) for place in order) for line in lines)
    log = read_log(written(tmp_path_factory.mktemp("logs"), text))
    expected = sorted(rows, key=lambda row: row[3])
    assert told(log) == [(user, item) for user, item, _, _ in expected]
    assert log.values is not None
    assert log.values.tolist() == [value for _, _, value, _ in expected]
    assert log.times.tolist() == [when for _, _, _, when in expected]


@given(
    content=some.one_of(
        some.binary(max_size=200),
        some.text(alphabet='uitem,;\t "\n#%:|1.9-é\r{}', max_size=120).map(str.encode),
        some.binary(max_size=60).map(lambda end: b"\x1f\x8b" + end),
        some.text(alphabet='a1," \n\t', max_size=80).map(lambda end: b"user,item,time\n" + end.encode()),
    ),
    name=some.sampled_from(["log.csv", "log.txt", "log.parquet", "log.csv.gz"]),
)
def test_any_bytes_are_a_log_or_a_clear_error(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    path = tmp_path_factory.mktemp("logs") / name
    path.write_bytes(content)
    try:
        outcome = "read" if len(read_log(path)) else "nothing"
    except DatasetError as error:
        outcome = error.message
    assert outcome == "read" or name in outcome


@pytest.mark.parametrize("nothing", ["NA", "null", "NaN", "undefined"])
def test_a_word_for_nothing_is_no_user_and_no_item(tmp_path: Path, nothing: str) -> None:
    log = read_log(written(tmp_path, f"user,item,time\na,x,1\n{nothing},y,2\nb,{nothing},3\n"))
    assert told(log) == [("a", "x")]
    assert log.notes == ("2 rows without a user, an item or a time left out",)


def test_a_table_is_read_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "user,item,rating,time\n1,31,2.5,300\n1,7,4,100\n")
    with_pyarrow = read_log(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    without = read_log(path)
    assert told(without) == told(with_pyarrow) == [("1", "7"), ("1", "31")]
    assert without.values is not None
    assert without.values.tolist() == [4.0, 2.5]
