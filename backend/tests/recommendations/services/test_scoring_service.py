"""The scoring under the name that sites import it by."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from recommendations.services import scoring_service
from sites.cleaning.scoring.service import ScoringService


def test_the_listed_path_gives_the_class_that_the_setting_names() -> None:
    assert scoring_service.ScoringService is ScoringService


@pytest.mark.django_db
def test_on_the_first_day_it_updates_nobody_and_fails_nowhere() -> None:
    assert scoring_service.ScoringService().update_all_cleaner_scores() == {"updated": 0, "errors": 0, "error_cleaners": []}


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("", "RECOMMENDATION_SCORING is not set; name the class by its path"),
        ("sites.cleaning.nowhere.Service", "cannot be imported: No module named 'sites.cleaning.nowhere'"),
        ("sites.cleaning.scoring.service.Sevrice", 'does not define a "Sevrice"'),
        ("decimal.Decimal", "has no update_all_cleaner_scores()"),
    ],
)
def test_a_wrong_setting_is_told_with_the_fix(path: str, complaint: str, settings: Any) -> None:
    settings.RECOMMENDATION_SCORING = path
    with pytest.raises(ImproperlyConfigured) as caught:
        scoring_service.configured()
    assert complaint in str(caught.value)
    assert "sites.cleaning.scoring.service.ScoringService" in str(caught.value)
