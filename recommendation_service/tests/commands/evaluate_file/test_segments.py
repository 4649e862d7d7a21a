"""People are cut by how much they had done before, and nobody is lost."""

import numpy as np
import pytest

from recommendation_service.commands.evaluate_file.segments import segments_of


def sizes(counts: list[int]) -> dict[str, int]:
    found = segments_of(np.array(counts))
    np.testing.assert_array_equal(np.sort(np.concatenate(list(found.values()))), np.arange(len(counts)))
    return {name: people.size for name, people in found.items()}


def test_where_newcomers_and_regulars_are_there_the_segments_are_those_of_routing() -> None:
    assert sizes([0, 4] * 15 + [5, 19] * 20 + [20, 900]) == {"0-4": 30, "5-19": 40, "20+": 2}


@pytest.mark.parametrize("few", [0, 20])
def test_where_all_but_a_few_are_regulars_they_are_cut_in_quarters_named_by_their_bounds(few: int) -> None:
    counts = [2] * few + list(range(20, 20 + 400 - few))
    found = sizes(counts)
    assert len(found) == 4
    assert max(found.values()) - min(found.values()) <= 1
    assert list(found)[-1].endswith(f"-{max(counts)}")


def test_equal_counts_are_never_parted() -> None:
    assert sizes([30] * 50 + [31] * 10) == {"30": 50, "31": 10}
    assert sizes([7]) == {"7": 1}
