from dataclasses import replace

from recommendation_service.training.comparison import tables
from recommendation_service.training.evaluation.evaluator import Figures

ROW = Figures("ALS (configured)", "all", 1234, 0.5, 0.1, 0.2, 0.3, 0.05, 0.42, None, (0.28, 0.32))


def test_markdown_is_one_table_a_segment_with_interval_and_n():
    text = tables.markdown([ROW, Figures("popularity", "20+", 7, 1.0, 0, 0, 0, 0, 0, 0.5, (0, 0))], 10)
    assert "| ALS (configured) | 0.1000 | 0.2000 | 0.3000 | 0.0500 | 0.2800-0.3200 | 0.420 | - | 50% | 1,234 |" in text
    assert text.count("| model |") == 2
    assert "**Hot: 20 or more interactions**" in text


def test_baskets_have_a_title_of_their_own():
    assert tables.plain([replace(ROW, segment=tables.BASKETS)], 4).startswith("Baskets of the test part")


def test_plain_columns_line_up():
    lines = tables.plain([ROW], 10).splitlines()
    assert lines[0] == "Everyone"
    assert len(lines[1]) == len(lines[2])
    assert "NDCG@10" in lines[1]
