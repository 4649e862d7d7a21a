"""Words in the names of models and fields, and what they stand for."""

import pytest

from tandem.scaffold.names import EVENT_WORDS, WEIGHTS, event_of, preset_of, words_of


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("UserProductView", ["user", "product", "view"]),
        ("saved_jobs", ["saved", "job"]),
        ("APIKey", ["api", "key"]),
        ("Categories", ["category"]),
        ("Class", ["class"]),
        ("News", ["news"]),
        ("", []),
    ],
)
def test_names_are_split_into_singular_words(name: str, words: list[str]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("names", "event"),
    [
        (("UserProductView",), "view"),
        (("stopped-reading",), "dismiss"),
        (("currently-reading",), "start"),
        (("Boost",), "like"),
        (("OrderLine",), "purchase"),
        (("Line", "Basket"), "cart"),
        (("Line", "WishList", "wishlists"), "save"),
        (("saved_jobs", "Member_saved_jobs"), "save"),
        (("JobApplication",), "apply"),
        (("ShelfBook",), "save"),
        (("CartRemoval",), "cart_remove"),
        (("to-read", "Want to read"), "save"),
        (("read", "Read"), "finish"),
        (("ProductAlert",), ""),
        (("TopicReadTrack",), "view"),
        (("subscribers", "Topic_subscribers"), "follow"),
        (("voted_by", "KBItem_voted_by"), "like"),
        (("downvoted_by", "KBItem_downvoted_by"), "dislike"),
        (("FollowUp",), ""),
        (("TicketCC",), ""),
        (("Ticket",), "purchase"),
        ((), ""),
    ],
)
def test_names_stand_for_an_event(names: tuple[str, ...], event: str) -> None:
    assert event_of(*names) == event


def test_every_event_with_words_has_a_weight() -> None:
    assert set(EVENT_WORDS) == set(WEIGHTS)


@pytest.mark.parametrize(
    ("items", "events", "preset"),
    [
        (("Product", "catalogue"), (), "shop"),
        (("Job", "board"), ("apply",), "jobs"),
        (("BlogPage", "home"), (), "content"),
        (("Lesson", "school"), (), "courses"),
        (("Thing", "market"), ("purchase",), "shop"),
        (("Task", "market"), ("bid",), "marketplace"),
        (("Skill", "people"), ("like",), "social"),
    ],
)
def test_a_preset_is_chosen_by_names(items: tuple[str, ...], events: tuple[str, ...], preset: str) -> None:
    assert preset_of(items, events) == preset
