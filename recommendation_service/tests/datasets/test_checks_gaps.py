from dataclasses import replace

import numpy as np
import pytest

from recommendation_service.datasets.checks import Gap, gaps_of
from recommendation_service.datasets.impressions import AnswerBatch, ListBatch, ShownBatch, ShownFeed
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.tests.support.bidding import auctions
from recommendation_service.tests.support.cleaning import export_cleaning
from recommendation_service.tests.support.exports import NOW, clubs, write_export
from recommendation_service.use_cases.loader import load

STARTUPS = load("startups")


def told(dataset, use_case=STARTUPS, now=NOW):
    return {gap.missing: gap.fix for gap in gaps_of(dataset, dataset.events(), use_case, now=now)}


EVERY_KIND = ("view", "like", "apply", "invest", "dismiss")


def site(tmp_path, *, people=120, days=100.0, profiles=True, kinds=EVERY_KIND, shown=None, **changes):
    """A site that lacks nothing but shown lists, unless told otherwise; `changes` are of every item."""
    records, happenings, known = clubs(people=people, items=24, events_each=8)
    records = [replace(one, created_at=NOW - DAY_S, **changes) for one in records]
    spread = [
        replace(one, event=kinds[place % len(kinds)], time=NOW - place * days * DAY_S / len(happenings))
        for place, one in enumerate(happenings)
    ]
    return write_export(tmp_path / "data", STARTUPS, records, spread, known if profiles else None, shown=shown)


def test_a_site_that_logs_everything_lacks_only_what_was_shown(tmp_path):
    (missing,) = told(site(tmp_path))
    assert missing.startswith("no list that was shown is recorded")


@pytest.mark.parametrize(
    ("changes", "missing", "fix"),
    [
        ({"people": 30}, "only 30 of 30 active people have 5 or more interactions", "ItemSource.events"),
        ({"days": 10}, "only 10 days of history", "import_interactions"),
        ({"profiles": False}, "100% of the people have no profile", "ItemSource.profiles"),
        ({"kinds": ("view", "like", "apply", "invest")}, "nothing says what people do not want", "record dismiss"),
        ({"kinds": ("view", "like", "dismiss")}, "apply, invest never happened", "POST /api/v1/interactions"),
        ({"text": "  "}, "100% of the items have no text", "ItemSource.text"),
        ({"category": None}, "100% of the items have no category", "ItemSource.category"),
        ({"tags": ()}, "100% of the items have no tags", "ItemSource.tags"),
    ],
)
def test_each_thing_missing_is_told_with_where_to_add_it(tmp_path, changes, missing, fix):
    found = told(site(tmp_path, **changes))
    (own,) = [one for one in found if one.startswith(missing)]
    assert fix in found[own]
    assert len(found) == 2  # that, and the shown lists


def test_old_events_are_told(tmp_path):
    assert "the newest interaction is 30 days old" in told(site(tmp_path), now=NOW + 30 * DAY_S)


def test_items_without_a_time_are_told(tmp_path):
    records, happenings, profiles = clubs(people=120)
    dataset = write_export(tmp_path / "data", STARTUPS, records, happenings, profiles)
    missing = "100% of the items have no time of creation, so new items cannot be helped"
    assert told(dataset)[missing] == "set ItemSource.created"


def test_the_word_for_what_nobody_wants_is_asked_for_where_the_file_has_none(tmp_path):
    plain = STARTUPS.model_copy(update={"events": {name: one for name, one in STARTUPS.events.items() if one.weight > 0}})
    found = told(site(tmp_path, kinds=("view", "like", "apply", "invest")), plain)
    assert found["nothing says what people do not want"].startswith("give an event a weight below 0 in startups.toml")


def one_list(*, answered):
    """One list of one item, shown to the first person; answered by a like or by nothing."""
    zero = np.zeros(1, dtype=np.int64)
    answers = [AnswerBatch(zero, zero, np.array([1]), np.array([np.nan], dtype=np.float32))] if answered else []
    return ShownFeed(
        lists=lambda _most: [ListBatch(zero, zero, np.array([NOW]), ["for-developer"], ["als"])],
        items=lambda _most: [ShownBatch(zero, zero, zero + 1, np.ones(1), ["{}"])],
        answers=lambda _most: answers,
    )


def test_shown_lists_that_nothing_answers_lack_the_request_id(tmp_path):
    (missing,) = told(site(tmp_path / "silent", shown=one_list(answered=False)))
    assert missing == "none of 1 shown lists was answered: no event carries a request_id"
    assert told(site(tmp_path / "answered", shown=one_list(answered=True))) == {}


def test_a_catalogue_of_pairs_needs_agreements(tmp_path):
    cleaning = load("cleaning")
    records, happenings, _ = clubs(people=120)
    viewed = [replace(one, event="view") for one in happenings]
    place = {"catalogue": "cleaners"}
    few, many = (
        write_export(tmp_path / str(jobs), cleaning, records, viewed, matches=auctions(jobs), **place) for jobs in (40, 120)
    )
    assert "only 40 pairs came to an agreement" in told(few, cleaning)
    without = "nothing is known of these items that a pair could be scored by"
    assert without in told(many, cleaning)
    assert not any("agreement" in one for one in told(many, cleaning))
    assert without not in told(export_cleaning(tmp_path / "sides")["cleaners"], cleaning)


def test_what_single_people_lack_does_not_matter_to_pairs(tmp_path):
    found = told(export_cleaning(tmp_path)["jobs"], load("cleaning"))
    assert {one.split(",")[0].split(":")[0] for one in found} == {
        "only 2 days of history",
        "no list that was shown is recorded",
    }


def test_an_export_without_events_is_no_error(tmp_path):
    dataset = write_export(tmp_path / "data", STARTUPS, clubs()[0], [])
    assert "only 0 of 0 active people have 5 or more interactions" in told(dataset)


def test_a_gap_is_one_line():
    assert Gap("no tags", "set ItemSource.tags").summary() == "no tags: set ItemSource.tags"
