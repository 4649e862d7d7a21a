"""`manage.py update_cleaner_scores`, as cron runs it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from sites.cleaning.models import Cleaner, CleanerScore, Review
from tests.sites.cleaning.marketplace import done, make_cleaner

pytestmark = pytest.mark.django_db


def run() -> str:
    said = StringIO()
    call_command("update_cleaner_scores", stdout=said)
    return said.getvalue()


def test_it_prints_how_many_were_scored(cleaner: Cleaner) -> None:
    done(cleaner)
    make_cleaner()
    assert run() == "2 cleaners scored, 0 could not be\n"
    assert CleanerScore.objects.count() == 2


def test_running_it_again_replaces_the_scores(cleaner: Cleaner) -> None:
    run()
    before = CleanerScore.objects.get()
    done(cleaner)
    run()
    after = CleanerScore.objects.get()
    assert (before.review_count, after.review_count) == (0, 1)
    assert after.overall_score > before.overall_score
    assert after.updated_at > before.updated_at


def test_it_names_who_could_not_be_scored_and_scores_the_others(cleaner: Cleaner) -> None:
    done(cleaner)
    other = make_cleaner()
    done(other)
    Review.objects.filter(cleaner=cleaner).update(quality=11)
    with pytest.raises(CommandError, match=f"not scored: cleaners {cleaner.pk}; the log says why") as caught:
        run()
    assert caught.value.returncode == 1
    assert list(CleanerScore.objects.values_list("cleaner", flat=True)) == [other.pk]
