"""What the page says in words: methods, skips, segments, and what a click changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from recommendation_service.domain.slate import ALL_SEEN, SEEN_EVERYTHING
from recommendation_service.use_cases.schema import Surface, UseCase

METHODS = {
    "als": "ALS: what people with a similar past went on to choose",
    "two_tower": "two-tower: items near this person's recent choices and profile",
    "content": "content-based: items whose words match",
    "popularity": "popular: what most people choose",
    "ease": "what goes together: items that people with these choices chose too",
    "sasrec": "SASRec: items that followed the same run of choices",
    "next_item": "what comes next: items that followed choices like the latest ones",
    "ensemble": "ensemble: several methods, each with its share",
    "embedding": "text vectors: items whose descriptions are close to what this person chose",
    "similar_users": "similar people: what people with the same choices chose too",
    "co_occurrence": "bought together: items that end up in the same baskets",
    "attributes": "rules: what fits by price, distance, standing and speciality",
    "neural": "network: a network that learned from who was chosen",
    "margin": "matrix factorisation: what people with a similar past liked more than the rest",
}
SKIPS = {
    "switched_off": "is switched off",
    "not_trained": "has not been trained yet",
    "refused": "has a damaged model",
    "cannot_say": "has nothing to say here yet",
    "failed": "failed",
    "timeout": "took too long",
    "partial": "answered only in part",
}
SEGMENTS = {"cold": "little is known yet", "warm": "a past to learn from", "hot": "a long past"}
SERVICE_AWAY = "The recommendation service did not answer, so this site helped itself."
VERBS = {
    "view": "viewed",
    "like": "liked",
    "apply": "applied to",
    "invest": "invested in",
    "rate": "rated",
    "comment": "commented on",
    "bookmark": "bookmarked",
    "share": "shared",
    "dislike": "disliked",
    "click": "opened",
    "recommendation_click": "opened",
    "enroll": "enrolled in",
    "complete": "completed",
    "drop": "dropped",
    "wishlist_add": "wished for",
    "cart_add": "put in the cart:",
    "cart_remove": "took out of the cart:",
    "purchase": "bought",
    "contact": "wrote to",
    "hide": "hid",
}


PARTS = {
    "score": "the engine's own score",
    "standing": "standing in the engine's list",
    "likeness": "likeness to what is looked at",
    "learned": "learned ranker",
    "cross_encoder": "cross-encoder",
    "place": "filled up from below",
    "collaborative": "collaborative",
}
BUTTONS = {
    "wishlist_add": "Add to wishlist",
    "cart_add": "Add to cart",
    "cart_remove": "Remove from cart",
    "purchase": "Buy",
    "recommendation_click": "Open",
    "click": "Open",
    "enroll": "Enrol",
}


NEAREST = "nearest: what this site itself finds close by"


OUTCOMES = {
    ("purchase",): "purchases",
    ("enroll",): "enrolments",
    ("view",): "readings",
    ("like", "comment", "bookmark", "share"): "likes, comments, bookmarks and shares",
}


def method_in_words(use_case: UseCase, name: str) -> str:
    """What an engine does; its own name where its kind has no words here."""
    part = use_case.engines.get(name)
    if part is None and name == "nearest":
        return NEAREST
    return METHODS.get(part.kind, name) if part else name


def method_name(use_case: UseCase, name: str) -> str:
    """The short word for an engine, such as "ALS"."""
    return method_in_words(use_case, name).partition(":")[0]


def part_name(use_case: UseCase, name: str) -> str:
    """The short word for one part of a score: an engine's, a reranker's or a ranker's."""
    return PARTS.get(name) or method_name(use_case, name)


def skips_in_words(degradation: list[Mapping[str, Any]]) -> list[str]:
    """One sentence for each engine that should have answered and did not; the service's own failure first."""
    away = [f"{SERVICE_AWAY} ({skip['detail']})" for skip in degradation if skip["engine"] == "service"]
    said = {"service", ""}
    others = [_skip(skip) for skip in degradation if skip["engine"] not in said]
    return [*away, *others]


def _skip(skip: Mapping[str, Any]) -> str:
    if skip["code"] == SEEN_EVERYTHING:
        return ALL_SEEN[:1].upper() + ALL_SEEN[1:]
    words = SKIPS.get(skip["code"])
    return f"{skip['engine']} {words} ({skip['detail']})" if words else f"{skip['engine']}: {skip['detail']}"


def heading(name: str, surface: Surface) -> str:
    """What a surface's list is called, such as "Similar startups"."""
    return surface.title or name.replace("-", " ").capitalize()


def outcome(events: Sequence[str], otherwise: str) -> str:
    """What several events are called together, such as "enrolments"; `otherwise` for others."""
    return OUTCOMES.get(tuple(events), f"{otherwise}s")


def button(event: str) -> str:
    """A button's word."""
    return BUTTONS.get(event) or event.replace("_", " ").capitalize()


def counted(count: int) -> str:
    """ "1 interaction", "5 interactions"."""
    return f"{count} interaction" if count == 1 else f"{count} interactions"


def ways(use_case: UseCase, strategies: Sequence[str]) -> list[tuple[str, str]]:
    """Engines that may be asked for, each with its short word, or with its own name where two share a word."""
    words = [method_name(use_case, name) for name in strategies]
    return [
        (name, word if words.count(word) == 1 else name.replace("_", " ")) for name, word in zip(strategies, words, strict=True)
    ]


def moved(was: int | None, position: int) -> str:
    """How a place differs from the one on the list before; empty where it does not."""
    return "new" if was is None else "" if was == position else f"was {was}"


def rearranged(marks: Sequence[str], *, left: bool) -> str:
    """What a click did to the other items, from their marks; whoever fills the place of one that left is no news."""
    new = marks.count("new")
    changed = sum(bool(mark) for mark in marks) - new
    if changed == 0 and new <= left:
        return "The others kept their places."
    return f"Without any training, {changed} moved and {new} came in."


def what_changed(*, event: str, title: str, left: bool, count: int, before: str, after: str) -> str:
    """Such as "You liked Coinloop; it left the list. 5 interactions now: ALS answers instead of content-based." """
    gone = "; it left the list" if left else ""
    instead = f" instead of {before}" if before and before != after else ""
    return f"You {VERBS.get(event, event)} {title}{gone}. {counted(count)} now: {after} answers{instead}."
