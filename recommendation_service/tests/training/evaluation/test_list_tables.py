import pytest

from recommendation_service.training.evaluation.list_metrics import ListFigures, Measured, conclusions, table
from recommendation_service.use_cases.loader import load

SURFACE = load("posts").surfaces["hybrid-recommendations"]


def row(name, ndcg=0.1, redundancy=0.5, fresh=0.1, categories=1.5):
    figures = ListFigures(ndcg, (ndcg - 0.01, ndcg + 0.01), redundancy, categories, categories and 1.0, 0.25, fresh, 4.0, 1.0)
    return Measured(name, figures, 1.0, 2.0, 3.0)


def rows(**served):
    return [*(row(name) for name in ("popular", "content_based", "collaborative", "hybrid")), row("as served", **served)]


def test_every_line_of_the_table_has_a_cell_a_column():
    lines = table([row("hybrid"), row("bare", redundancy=None, categories=None)], 12).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[0].startswith("| lists by | NDCG@12 |")
    assert lines[3].split("|")[4:7] == [" - ", " - ", " - "]


def test_the_words_compare_what_is_served_with_each_engine_and_with_no_reranker():
    told = list(conclusions(rows(ndcg=0.15, redundancy=0.3, fresh=0.4), 12, SURFACE))
    assert told[0] == "relevance: NDCG@12 0.1500 as served, +50% against collaborative"
    assert told[3] == "redundancy: 0.300 with rerankers, 0.500 without (-40% against bare)"
    assert told[4] == "fresh items: 40% of those shown with rerankers, 10% without"


@pytest.mark.parametrize("nothing", [None, 0.0])
def test_without_redundancy_or_hits_nothing_is_divided_by_zero(nothing):
    bare = [
        row(name, ndcg=0.0, redundancy=nothing) for name in ("popular", "content_based", "collaborative", "hybrid", "served")
    ]
    told = list(conclusions(bare, 12, SURFACE))
    assert told[0].endswith("nothing to compare with in collaborative")
    assert not any(line.startswith("redundancy") for line in told)
