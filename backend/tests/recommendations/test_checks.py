"""`manage.py check` speaks about the marketplace's settings before a visitor has to."""

from typing import Any

import pytest
from django.core.checks import run_checks

from recommendations.checks import check_settings


def test_the_settings_of_this_project_are_right() -> None:
    assert check_settings() == []


@pytest.mark.parametrize(
    ("name", "value", "code", "fix"),
    [
        ("RECOMMENDATION_MODE", "hybrid", "recs.E101", "one of rule_based, neural, ensemble"),
        ("RECOMMENDATION_ENSEMBLE_WEIGHTS", {"rule_based": 1}, "recs.E102", '{"rule_based": 0.6, "neural": 0.4}'),
        ("RECOMMENDATION_CACHE_TTL", -1, "recs.E103", "whole seconds, 0 or more"),
        ("RECOMMENDATION_ENGINE", "sites.cleaning.nowhere.Engine", "recs.E104", "name a class by its path"),
        ("RECOMMENDATION_SCORING", "ScoringService", "recs.E104", "name a class by its path"),
    ],
)
def test_each_wrong_setting_is_an_error_that_tells_the_fix(settings: Any, name: str, value: Any, code: str, fix: str) -> None:
    setattr(settings, name, value)
    (problem,) = check_settings()
    assert problem.id == code
    assert name in problem.msg
    assert fix in f"{problem.msg} {problem.hint}"


def test_manage_py_check_runs_them(settings: Any) -> None:
    settings.RECOMMENDATION_MODE = "hybrid"
    assert "recs.E101" in [problem.id for problem in run_checks()]
