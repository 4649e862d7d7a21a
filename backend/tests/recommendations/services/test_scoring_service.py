"""The scoring service under the import path of the acceptance list."""

import pytest

from recommendations.services import scoring_service
from sites.cleaning.scoring.service import ScoringService


def test_the_listed_path_gives_the_class_that_the_setting_names() -> None:
    assert scoring_service.ScoringService is ScoringService


@pytest.mark.django_db
def test_on_the_first_day_it_updates_nobody_and_fails_nowhere() -> None:
    assert scoring_service.ScoringService().update_all_cleaner_scores() == {"updated": 0, "errors": 0, "error_cleaners": []}
