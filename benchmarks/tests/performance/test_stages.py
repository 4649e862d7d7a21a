"""The benchmark measures the whole pipeline of the real use-case file, or it says that it does not."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.performance import stages
from recommendation_service.tests.support.service import learned_arrays


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stages, "_trees", lambda _root: learned_arrays())
    stages.make_shop(tmp_path, items=240, people=60)
    return tmp_path


def test_every_stage_of_the_list_is_measured_and_together_they_are_the_total(shop: Path) -> None:
    taken = stages.stages_of(shop, asked=8, people=60)
    assert set(stages.STATED) <= set(taken)
    assert all(ms.size == 8 for ms in taken.values())
    whole = taken.pop("total")
    parts = np.sum(list(taken.values()), axis=0)
    assert (parts <= whole).all()


def test_each_row_names_its_requirement_and_its_share(shop: Path) -> None:
    rows = stages.rows_of(stages.stages_of(shop, asked=3, people=60), "learned")
    assert {"learned: 001.54 candidates", "learned: 001.58 total"} <= {name for name, _ in rows}
    assert any(told.endswith(" 100% of the total") for _, told in rows)


def test_an_answer_that_was_not_the_whole_pipelines_is_not_timed(shop: Path) -> None:
    (shop / "models" / "shop" / "similar_users.current").unlink()
    with pytest.raises(RuntimeError, match="similar_users"):
        stages.stages_of(shop, asked=1, people=60)
