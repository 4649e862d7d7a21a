"""UI texts of the site pages: engines, skipped engines, segments, buttons, and what a click changed. Translated by gettext."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from recommendation_service.domain.slate import ALL_SEEN, SEEN_EVERYTHING
from recommendation_service.kinds import KINDS
from recommendation_service.use_cases.schema import Surface, UseCase

Text = str | Promise

# by kind of engine; the part before the colon is the short name
METHODS: dict[str, Text] = {name: _(kind.label) for name, kind in KINDS.items() if kind.label}
NEAREST = _("nearest: similar items, found by this site itself")
PARTS: dict[str, Text] = {  # of a score, beside the engines
    "score": _("the engine's own score"),
    "standing": _("rank in the engine's list"),
    "likeness": _("similarity to the item on this page"),
    "learned": _("learned ranker"),
    "cross_encoder": _("cross-encoder"),
    "place": _("added to fill the list"),
    "collaborative": _("collaborative"),
}
SKIPS: dict[str, Text] = {
    "switched_off": _("is switched off"),
    "not_trained": _("has not been trained yet"),
    "refused": _("has a damaged model"),
    "no_prediction": _("has no prediction here yet"),
    "failed": _("failed"),
    "timeout": _("took too long"),
    "partial": _("answered only in part"),
}
SEGMENTS: dict[str, Text] = {"cold": _("few interactions yet"), "warm": _("some interactions"), "hot": _("many interactions")}
SERVICE_AWAY = _("The recommendation service did not answer, so this site made the list itself.")
VERBS: dict[str, Text] = {
    "view": _("viewed"),
    "like": _("liked"),
    "apply": _("applied to"),
    "invest": _("invested in"),
    "rate": _("rated"),
    "comment": _("commented on"),
    "bookmark": _("bookmarked"),
    "share": _("shared"),
    "dislike": _("disliked"),
    "click": _("opened"),
    "recommendation_click": _("opened"),
    "enroll": _("enrolled in"),
    "complete": _("completed"),
    "drop": _("dropped"),
    "wishlist_add": _("added to the wishlist:"),
    "cart_add": _("added to the cart:"),
    "cart_remove": _("removed from the cart:"),
    "purchase": _("bought"),
    "contact": _("wrote to"),
    "hide": _("hid"),
}
BUTTONS: dict[str, Text] = {
    "wishlist_add": _("Add to wishlist"),
    "cart_add": _("Add to cart"),
    "cart_remove": _("Remove from cart"),
    "purchase": _("Buy"),
    "recommendation_click": _("Open"),
    "click": _("Open"),
    "enroll": _("Enrol"),
}
OUTCOMES: dict[tuple[str, ...], Text] = {
    ("purchase",): _("purchases"),
    ("enroll",): _("enrolments"),
    ("view",): _("views"),
    ("like", "comment", "bookmark", "share"): _("likes, comments, bookmarks and shares"),
}
CLICKS, GOALS = _("clicks"), _("goals")
NOT_RECORDED = _("This was not recorded")
NO_BUTTON = _("there is no button '%(event)s' here")


def method_description(use_case: UseCase, name: str) -> str:
    """Return what an engine does, or its name if its kind has no description."""
    part = use_case.engines.get(name)
    if part is None:
        return str(NEAREST) if name == "nearest" else name
    return str(METHODS.get(part.kind, name))


def method_name(use_case: UseCase, name: str) -> str:
    """Return the short name of an engine, such as "ALS"."""
    return method_description(use_case, name).partition(":")[0]


def part_name(use_case: UseCase, name: str) -> str:
    """Return the short name of one part of a score: an engine, a reranker or a ranker."""
    return str(PARTS.get(name) or method_name(use_case, name))


def engine_choices(use_case: UseCase, strategies: Sequence[str]) -> list[tuple[str, str]]:
    """Return engines that may be chosen with their short names, or their own names where two short names are equal."""
    names = [method_name(use_case, strategy) for strategy in strategies]
    pairs = zip(strategies, names, strict=True)
    return [(strategy, name if names.count(name) == 1 else strategy.replace("_", " ")) for strategy, name in pairs]


def skip_messages(degradation: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence for each engine that was skipped; failures of the service come first."""
    failures = [f"{SERVICE_AWAY} ({skip['detail']})" for skip in degradation if skip["engine"] == "service"]
    return [*failures, *(_skip_message(skip) for skip in degradation if skip["engine"] not in {"service", ""})]


def relaxed_messages(relaxed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence for each rule that was relaxed."""
    return [gettext("A rule was relaxed: %(detail)s.") % {"detail": rule["detail"]} for rule in relaxed]


def _skip_message(skip: Mapping[str, Any]) -> str:
    if skip["code"] == SEEN_EVERYTHING:
        return ALL_SEEN[:1].upper() + ALL_SEEN[1:]
    reason = SKIPS.get(skip["code"])
    return f"{skip['engine']} {reason} ({skip['detail']})" if reason else f"{skip['engine']}: {skip['detail']}"


def heading(name: str, surface: Surface) -> str:
    """Return the title of a surface's list, such as "Similar startups"."""
    return surface.title or name.replace("-", " ").capitalize()


def outcome(events: Sequence[str], default: Text) -> str:
    """Return what these events are called together, such as "enrolments"."""
    return str(OUTCOMES.get(tuple(events), default))


def button(event: str) -> str:
    """Return the text of an event's button."""
    return str(BUTTONS.get(event) or event.replace("_", " ").capitalize())


def interaction_count(count: int) -> str:
    """Return "1 interaction" or "5 interactions"."""
    return ngettext("%(count)s interaction", "%(count)s interactions", count) % {"count": count}


def position_change(before: int | None, now: int) -> str:
    """Return "new", "was 7", or "" if the position did not change."""
    if before is None:
        return gettext("new")
    return "" if before == now else gettext("was %(position)s") % {"position": before}


def list_changes(changes: Sequence[str], *, removed: bool) -> str:
    """Say what a click did to the other items. `removed`: the clicked item left the list, so one new item is expected."""
    new = changes.count(gettext("new"))
    moved = sum(bool(change) for change in changes) - new
    if moved == 0 and new <= removed:
        return gettext("The other items kept their positions.")
    return gettext("Without any training: %(moved)s moved, %(new)s new.") % {"moved": moved, "new": new}


def click_result(*, event: str, title: str, removed: bool, count: int, before: str, after: str) -> str:
    """Say what a click did, such as "You liked Coinloop; it left the list. 5 interactions now: ALS answers." """
    values = {"verb": VERBS.get(event, event), "title": title, "count": interaction_count(count), "after": after}
    clicked = gettext("You %(verb)s %(title)s; it left the list.") if removed else gettext("You %(verb)s %(title)s.")
    if before and before != after:
        answered = gettext("%(count)s now: %(after)s answers instead of %(before)s.") % {**values, "before": before}
    else:
        answered = gettext("%(count)s now: %(after)s answers.") % values
    return f"{clicked % values} {answered}"
