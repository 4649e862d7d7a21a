"""The table on a terminal and in a document holds the same figures."""

from recommendation_service.commands.evaluate_file.result_rows import Inside, Row, TimedScore, best_so_far
from recommendation_service.commands.evaluate_file.tables import by_segment, markdown, table


def row(name: str, reached: float) -> Row:
    measures = {"HR@10": (2 * reached, 0.0, 1.0), "NDCG@10": (reached, reached - 0.01, reached + 0.01)}
    segments = {"0-4": Inside(20, measures), "5-19": Inside(1_020, measures)}
    return Row(name, measures, 1_040, 1.25, 5.04, 0.5, 0.125, {"factors": 64, "solver": "exact"}, "search cut short", segments)


ROWS = (row("popularity", 0.1), row("als", 0.2))


def test_every_figure_stands_in_its_column() -> None:
    head, *lines = table(ROWS).splitlines()
    assert head.split("  ")[0] == "model"
    assert lines[1].split() == [
        *("als", "0.4000", "0.2000", "0.1900-0.2100", "1,040", "0.12", "1.2", "5.0", "0.5"),
        *("factors", "64,", "solver", "exact;", "search", "cut", "short"),
    ]
    assert len({line.index("1,040") for line in lines}) == 1


def test_segments_tell_how_many_people_and_an_interval() -> None:
    head, *lines = by_segment(ROWS).splitlines()
    assert "0-4 (n 20)" in head
    assert "5-19 (n 1,020)" in head
    assert lines[0].split() == ["popularity", "0.1000", "0.0900-0.1100", "0.1000", "0.0900-0.1100"]


def test_a_document_gets_both_tables_with_figures_to_the_right() -> None:
    first, second = markdown(ROWS).split("\n\n")
    head, rule, *lines = first.splitlines()
    assert head == (
        "| model | HR@10 | NDCG@10 | 95 % | n | ms a request | fit s | search s | MB"
        " | settings other than configured; weights |"
    )
    assert rule == "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    assert lines[1].startswith("| als | 0.4000 | 0.2000 | 0.1900-0.2100 | 1,040 | 0.12 |")
    assert {line.count("|") for line in (head, rule, *lines)} == {11}
    assert len(second.splitlines()) == 4


def test_the_best_so_far_never_falls() -> None:
    tried = [TimedScore(1.0, 0.1), TimedScore(2.0, 0.3), TimedScore(4.5, 0.2), TimedScore(5.0, 0.4)]
    assert best_so_far(tried) == ([1.0, 2.0, 4.5, 5.0], [0.1, 0.3, 0.3, 0.4])
