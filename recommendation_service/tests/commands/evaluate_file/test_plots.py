"""The pictures are made alike every time, name every model, and hide no name behind another."""

from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.text import Annotation

from recommendation_service.commands.evaluate_file import plots
from recommendation_service.commands.evaluate_file.result_rows import Inside, Row, TimedScore

REACHED = {"popularity": 0.172, "als": 0.185, "ease": 0.191, "newcomer": 0.1912, "default blend": 0.189, "learned blend": 0.193}


def row(name: str, reached: float, cost: float) -> Row:
    measures = {"NDCG@10": (reached, reached - 0.01, reached + 0.01)}
    tried = () if "blend" in name or name == "popularity" else (TimedScore(1.0, 0.1), TimedScore(cost, reached))
    segments = {name: Inside(300, measures) for name in ("0-4", "5-19", "20+")}
    return Row(name, measures, 900, cost, 5.0, 1.0, cost / 10, segments=segments, tried=tried)


ROWS = [row(name, reached, 1.0 + place / 5) for place, (name, reached) in enumerate(REACHED.items())]


def test_the_same_rows_give_the_same_bytes_without_a_date(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        plots.draw(tmp_path / folder, ROWS, "a.csv, time", searched_on=500)
    made = {path.name for path in (tmp_path / "one").iterdir()}
    assert made == {f"{name}.{form}" for name in ("segments", "cost", "curves") for form in ("svg", "png")}
    for name in made:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        assert b"dc:date" not in (tmp_path / "one" / name).read_bytes()


def test_no_name_covers_another_and_all_stand_inside_the_picture() -> None:
    mpl.use("Agg")
    figure = plots._cost(ROWS, "a.csv")
    for axes in figure.axes:
        names = [text for text in axes.texts if isinstance(text, Annotation) and text.get_text()]
        assert [name.get_text() for name in names] == list(REACHED)
        boxes = [name.get_window_extent() for name in names]
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
        assert all(figure.bbox.containsx(box.x0) and figure.bbox.containsx(box.x1) for box in boxes)
    plots.pyplot.close(figure)


def test_a_model_has_a_colour_of_its_own_and_popularity_is_grey() -> None:
    styles = plots._styles(ROWS)
    assert len({styles[name] for name in REACHED}) == len(REACHED)
    assert len(set(plots.STYLES.values())) == len(plots.STYLES)
    red, green, blue = mpl.colors.to_rgb(styles["popularity"][0])
    assert red == green == blue


@pytest.mark.parametrize("name", ["segments", "curves"])
def test_title_and_axes_say_what_is_shown(name: str) -> None:
    figure = getattr(plots, f"_{name}")(ROWS, "a.csv, time, n = 900")
    (axes,) = figure.axes
    assert "a.csv, time, n = 900" in axes.get_title()
    assert "NDCG@10" in axes.get_ylabel()
    assert axes.get_xlabel()
    shown = {text.get_text().partition(" (")[0] for legend in figure.legends for text in legend.get_texts()}
    assert shown == {row.model for row in ROWS if name == "segments" or row.tried}
    plots.pyplot.close(figure)


def test_without_any_search_there_is_still_a_picture(tmp_path: Path) -> None:
    plots.draw(tmp_path, ROWS[:1], "a.csv", searched_on=500)
    assert (tmp_path / "curves.svg").stat().st_size > 0
