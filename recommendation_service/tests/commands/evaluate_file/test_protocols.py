"""What each protocol lets a model know, and what it is asked."""

from pathlib import Path

import numpy as np
import pytest

from recommendation_service.commands.evaluate_file.protocols import EvaluationTask, Task, task_of
from recommendation_service.errors import DatasetError


def table(folder: Path, rows: list[tuple[str, str, float, float]]) -> Path:
    path = folder / "log.csv"
    path.write_text("user,item,rating,time\n" + "".join(f"{u},{i},{r},{t}\n" for u, i, r, t in rows))
    return path


def known(asked: EvaluationTask) -> set[tuple[str, str]]:
    events, material = asked.material.events, asked.material
    pairs = zip(events.users.tolist(), events.items.tolist(), strict=True)
    return {(material.user_ids.id(user), material.catalogue.ids.id(item)) for user, item in pairs}


def wanted(asked: EvaluationTask) -> set[tuple[str, str]]:
    rows = asked.relevant.tocoo()
    ids, people = asked.material.catalogue.ids, asked.material.user_ids
    return {(people.id(int(asked.users[row])), ids.id(item)) for row, item in zip(rows.row, rows.col.tolist(), strict=True)}


WALKS = [(user, f"{user}{step}", 5.0, float(10 * step + number)) for number, user in enumerate("abc") for step in range(5)]


def test_next_item_hides_the_last_and_validates_on_the_one_before(tmp_path: Path) -> None:
    found = task_of("next-item", table(tmp_path, WALKS), None)
    assert wanted(found.test) == {("a", "a4"), ("b", "b4"), ("c", "c4")}
    assert wanted(found.valid) == {("a", "a3"), ("b", "b3"), ("c", "c3")}
    assert known(found.valid) == {(user, f"{user}{step}") for user in "abc" for step in range(3)}
    assert known(found.test) == known(found.valid) | wanted(found.valid)


def test_people_too_short_to_leave_something_out_are_learned_from_only(tmp_path: Path) -> None:
    found = task_of("next-item", table(tmp_path, [*WALKS, ("d", "a1", 5, 1), ("d", "a2", 5, 2)]), None)
    assert "d" not in {user for user, _ in wanted(found.test)}
    assert ("d", "a2") in known(found.valid)


def test_a_repeat_counts_at_its_last_time_only(tmp_path: Path) -> None:
    found = task_of("next-item", table(tmp_path, [*WALKS, ("a", "a0", 5, 99)]), None)
    assert ("a", "a0") in wanted(found.test)
    assert ("a", "a0") not in known(found.test)
    assert any("repeats" in note for note in found.notes)


def test_what_somebody_touched_is_never_ranked(tmp_path: Path) -> None:
    found = task_of("next-item", table(tmp_path, WALKS), None).test
    panel = next(found.panels())
    seen = known(found)
    ids = found.material.catalogue.ids
    for place, user in enumerate(found.users.tolist()):
        name = found.material.user_ids.id(user)
        assert {item for item in ids.ids() if not panel.eligible[place, ids.row(item)]} == {i for u, i in seen if u == name}


def big(folder: Path, *, ratings: bool = True) -> Path:
    rng = np.random.default_rng(0)
    rows = [
        (f"u{user:02d}", f"i{item:03d}", float(rng.integers(1, 6)) if ratings else 5.0, float(rng.random() * 1e6))
        for user in range(30)
        for item in rng.permutation(150)[:25]
    ]
    return table(folder, rows)


def test_ncf_asks_for_one_item_among_ninety_nine_never_touched(tmp_path: Path) -> None:
    found = task_of("ncf", big(tmp_path), None)
    panel = next(found.test.panels())
    assert (panel.eligible.sum(axis=1) == 100).all()
    assert (panel.relevant.toarray()[panel.eligible].sum()) == len(found.test)


def test_time_learns_from_the_past_only_and_from_good_ratings_only(tmp_path: Path) -> None:
    path = big(tmp_path)
    found = task_of("time", path, None)
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    when = {(user, item): float(moment) for user, item, _, moment in rows}
    good = {(user, item) for user, item, rating, _ in rows if float(rating) >= 4}
    assert known(found.test) | wanted(found.test) <= good
    assert max(when[pair] for pair in known(found.valid)) <= min(when[pair] for pair in wanted(found.valid))
    assert max(when[pair] for pair in known(found.test)) <= min(when[pair] for pair in wanted(found.test))
    assert not known(found.test) & wanted(found.test)
    assert "good means 4 or more" in found.notes


def test_random_cuts_by_lot_and_the_same_way_for_a_seed(tmp_path: Path) -> None:
    one, same, other = (task_of("random", big(tmp_path), None, seed=seed) for seed in (1, 1, 2))
    assert wanted(one.test) == wanted(same.test) != wanted(other.test)
    assert 0.6 < len(known(one.valid)) / len(known(one.test) | wanted(one.test)) < 0.95


def test_holdout_takes_both_files_as_they_are(tmp_path: Path) -> None:
    train, test = tmp_path / "train.txt", tmp_path / "test.txt"
    train.write_text("".join(f"u{n} " + " ".join(f"i{(n + step) % 40}" for step in range(12)) + "\n" for n in range(40)))
    test.write_text("".join(f"u{n} i{(n + 12) % 40} i{(n + 13) % 40} stranger\n" for n in range(40)) + "nobody i1\n")
    found = task_of("holdout", train, test)
    assert found.k == 20
    assert wanted(found.test) == {(f"u{n}", f"i{(n + step) % 40}") for n in range(40) for step in (12, 13)}
    assert known(found.test) == {(f"u{n}", f"i{(n + step) % 40}") for n in range(40) for step in range(12)}
    assert any("40 held-out items" in note or "41 held-out items" in note for note in found.notes)
    hidden = known(found.test) - known(found.valid)
    assert wanted(found.valid) <= hidden


def spoiled(protocol: str, folder: Path) -> Task:
    return task_of(protocol, table(folder, [("a", "x", 5, 1), ("b", "y", 5, 2)]), None)


def test_files_too_small_say_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nobody has three items"):
        spoiled("next-item", tmp_path)
    with pytest.raises(DatasetError, match=r"nothing to measure on|too small"):
        spoiled("time", tmp_path)
    with pytest.raises(DatasetError, match="needs --test"):
        task_of("holdout", tmp_path / "x", None)


def test_time_needs_times(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("a 1 2 3 4 5\nb 1 2 3\n")
    with pytest.raises(DatasetError, match="needs a column of times"):
        task_of("time", path, None)


def counted(folder: Path, header: str, values: list[float]) -> Task:
    path = folder / "log.csv"
    rng = np.random.default_rng(0)
    rows = [(f"u{n % 40}", f"i{rng.integers(60)}", values[n % len(values)]) for n in range(1_600)]
    path.write_text(f"user,item,{header}\n" + "".join(f"{user},{item},{value:g}\n" for user, item, value in rows))
    return task_of("random", path, None)


def test_play_counts_are_no_ratings(tmp_path: Path) -> None:
    whole = counted(tmp_path, "rating", [5.0])
    for header, values in (("plays", [1, 2, 3, 4, 5]), ("value", [1, 7, 900, 12_000]), ("value", [1.0] * 40 + [90.0])):
        found = counted(tmp_path, header, values)
        assert any("are counts, not ratings: every interaction counts as good" in note for note in found.notes)
        assert len(known(found.test) | wanted(found.test)) == len(known(whole.test) | wanted(whole.test))


@pytest.mark.parametrize(
    ("values", "least"), [([1, 2, 3, 4, 5], 4), ([2, 6, 8, 10], 8), ([0, 1], 0.8), ([-10, 3.5, 9.2, 10], 8)]
)
def test_ratings_of_any_scale_are_good_from_four_fifths_of_the_best(tmp_path: Path, values: list[float], least: float) -> None:
    assert f"good means {least:g} or more" in counted(tmp_path, "rating", values).notes


def test_holdout_takes_tables_as_well(tmp_path: Path) -> None:
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    rows = [(f"u{n}", f"i{(n + step) % 40}") for n in range(40) for step in range(14)]
    late = {place for place in range(len(rows)) if place % 14 > 11}
    for path, keep in ((train, False), (test, True)):
        kept = [row for place, row in enumerate(rows) if (place in late) is keep]
        path.write_text("user_id,item_id\n" + "".join(f"{user},{item}\n" for user, item in kept))
    found = task_of("holdout", train, test)
    assert wanted(found.test) == {rows[place] for place in late}
    assert len(known(found.test)) == len(rows) - len(late)


def test_people_of_the_test_file_whom_nobody_knows_are_told(tmp_path: Path) -> None:
    train, test = tmp_path / "train.txt", tmp_path / "test.txt"
    train.write_text(
        "".join(f"u{n} " + " ".join(f"i{(n + step) % 40}" for step in range(12)) + "\n" for n in range(40)) + "lost\n"
    )
    test.write_text("".join(f"u{n} i{(n + 12) % 40}\n" for n in range(40)) + "nobody i1 i2\nu1 i13 i13\nlost i3\n")
    notes = task_of("holdout", train, test).notes
    assert "2 held-out people are not in the training file and count for nothing" in notes


def test_negatives_are_drawn_where_nearly_everything_was_touched(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    lines = ["all " + " ".join(f"i{n}" for n in range(100, 400))] + [
        f"u{k} " + " ".join(f"i{n}" for n in range(k, k + 5)) for k in range(395)
    ]
    path.write_text("\n".join(lines))
    panel = next(task_of("ncf", path, None).test.panels())
    assert (panel.eligible.sum(axis=1) == 100).all()
