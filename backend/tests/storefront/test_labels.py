"""What the page says in words."""

import pytest

from recommendation_service.domain.slate import ALL_SEEN, SEEN_EVERYTHING
from recommendation_service.use_cases.loader import load, load_all
from storefront import labels


def test_every_method_of_every_use_case_has_words() -> None:
    for use_case in load_all().values():
        for name, part in use_case.engines.items():
            assert part.kind in labels.METHODS, f"{use_case.name}: {name}"


def test_an_unknown_method_is_called_by_its_own_name() -> None:
    assert labels.method_description(load("startups"), "oracle") == "oracle"


def test_every_event_of_a_page_has_a_verb() -> None:
    from tandem.sources import all_sources  # filled once Django is set up

    events = {event for source in all_sources() for event in source.page_events}
    assert events <= set(labels.VERBS)


@pytest.mark.parametrize(("count", "said"), [(0, "0 interactions"), (1, "1 interaction"), (2, "2 interactions")])
def test_counts_are_said_in_english(count: int, said: str) -> None:
    assert labels.interaction_count(count) == said


def test_what_changed_tells_item_place_count_and_method() -> None:
    said = labels.click_result(event="like", title="Coinloop", removed=True, count=5, before="content-based", after="ALS")
    assert said == "You liked Coinloop; it left the list. 5 interactions now: ALS answers instead of content-based."


def test_what_did_not_change_is_not_told() -> None:
    said = labels.click_result(event="view", title="X", removed=False, count=1, before="ALS", after="ALS")
    assert said == "You viewed X. 1 interaction now: ALS answers."


def test_engines_to_ask_have_short_words_and_their_own_names_where_two_share_one() -> None:
    assert labels.engine_choices(load("startups"), ["als", "next_item", "popular"]) == [
        ("als", "ALS"),
        ("next_item", "what comes next"),
        ("popular", "popular"),
    ]
    assert labels.engine_choices(load("startups"), ["als", "als"]) == [("als", "als"), ("als", "als")]


@pytest.mark.parametrize(("was", "position", "mark"), [(None, 1, "new"), (3, 3, ""), (7, 2, "was 7")])
def test_a_place_says_how_it_differs(was: int | None, position: int, mark: str) -> None:
    assert labels.position_change(was, position) == mark


@pytest.mark.parametrize(
    ("marks", "removed", "message"),
    [
        (["", "", "new"], True, "The other items kept their positions."),
        (["", "", ""], False, "The other items kept their positions."),
        (["", "new"], False, "Without any training: 0 moved, 1 new."),
        (["was 2", "was 1", "new"], True, "Without any training: 2 moved, 1 new."),
    ],
)
def test_what_a_click_did_to_the_others_is_counted(marks: list[str], removed: bool, message: str) -> None:
    assert labels.list_changes(marks, removed=removed) == message


def test_the_service_being_away_is_told_first() -> None:
    skips = [
        {"engine": "als", "code": "no_prediction", "detail": "no past"},
        {"engine": "service", "code": "timeout", "detail": "too late"},
        {"engine": "popular", "code": "nothing_left", "detail": "all seen"},
    ]
    assert labels.skip_messages(skips) == [
        f"{labels.SERVICE_AWAY} (too late)",
        "als has no prediction here yet (no past)",
        "popular: all seen",
    ]


def test_that_everything_was_seen_is_said_as_a_sentence_about_the_list_and_not_as_a_failure() -> None:
    skip = {"engine": "als", "code": SEEN_EVERYTHING, "detail": ALL_SEEN}
    assert labels.skip_messages([skip]) == ["You have seen everything here, so popular items are shown again"]
