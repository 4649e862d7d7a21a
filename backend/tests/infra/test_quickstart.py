"""docs/quickstart.md, block by block, with the wheel of this repository in a new project elsewhere."""

from pathlib import Path

import pytest

from tests.infra.reader import BLOCKS, reading
from tests.support.wheel import run


@pytest.mark.timeout(240)
def test_the_quickstart_works_in_a_project_of_its_own(tmp_path: Path, wheel: Path) -> None:
    with reading(tmp_path, wheel) as reader:
        for language, block in BLOCKS:
            reader.follow(language, block)
        where = "import tandem, recommendation_service as service; print(tandem.__file__, service.__file__)"
        assert run(["python", "-c", where], reader.folder, reader.environment).count(f"{tmp_path}/.venv/") == 2
        assert "no issues" in reader.manage("check")
        assert "No changes" in reader.manage("makemigrations", "--check", "--dry-run")
        served = reader.ask(2)
        assert (served["degraded"], served["degradation"], served["method_used"]) == (False, [], "als")
        assert len(served["recommendations"]) == 5
        assert served["interaction_count"] >= 4
        assert all(item["title"] and item["reasons"] for item in served["recommendations"])
        reader.stop("python -m recommendation_service.app")
        assert reader.ask(2) == served  # from the cache
        for candidate in (3, 4040):  # a candidate without a cached list, and an unknown one
            fallback = reader.ask(candidate)
            assert fallback["degraded"]
            assert fallback["degradation"][0]["code"] == "unreachable"
            assert len(fallback["recommendations"]) == 5
