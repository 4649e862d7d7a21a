"""Texts of reasons. They are about the user's own actions and never identify another user."""

from collections.abc import Collection, Sequence

import numpy as np

from recommendation_service.core.numeric import AnyArray, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Profile
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import LikedItems

MAX_NAMED = 3  # values in one reason; longer lists are not read


def strongest_liked(engine: str, titles: Sequence[str], liked: LikedItems, shares: AnyArray) -> list[tuple[Reason, ...]]:
    """Return one reason per column of `shares` (k liked items, n rows): the liked item with the largest, if above 0."""
    best = np.argmax(shares, axis=0)
    strengths = shares[best, np.arange(shares.shape[1])]
    rows = liked.rows.tolist()
    texts = {
        index: because(titles[rows[index]], liked.verb(index), of_subject=liked.from_subject) for index in set(best.tolist())
    }  # of a long history, few items are named
    return [
        (Reason(engine, texts[index], strength),) if strength > 0 else ()
        for index, strength in zip(best.tolist(), strengths.tolist(), strict=True)
    ]


def most_similar(
    engine: str, catalogue: Catalogue, liked: LikedItems, rows: Ints, likeness: AnyArray
) -> list[tuple[Reason, ...]]:
    """Return one reason per row: the liked item with the largest `likeness` (k liked items, n rows), if it is above 0."""
    if not liked.rows.size:
        return [()] * rows.size
    reasons: list[tuple[Reason, ...]] = []
    for index, (row, best) in enumerate(zip(rows.tolist(), np.argmax(likeness, axis=0).tolist(), strict=True)):
        other, strength = int(liked.rows[best]), float(likeness[best, index])
        shared = shared_tags(catalogue, row, other)
        text = similar(catalogue.titles[other], liked.verb(int(best)), shared, of_subject=liked.from_subject)
        reasons.append((Reason(engine, text, strength),) if strength > 0 else ())
    return reasons


def quoted(title: str) -> str:
    """Return a title in quotation marks."""
    return f"\u201c{title}\u201d"


def because(title: str, verb: str, *, of_subject: bool) -> str:
    """Return the reason for an item that goes with another one; `verb` is what the user did with that one, "" if unknown."""
    if of_subject:
        return f"Goes with {quoted(title)}"
    return f"Because you {verb} {quoted(title)}" if verb else f"Because of {quoted(title)}"


def similar(title: str, verb: str, shared: Collection[str], *, of_subject: bool) -> str:
    """Return the reason for an item with similar content; `shared` are values that both items have, `verb` as above."""
    text = f"Similar to {quoted(title)}"
    if not of_subject and verb:
        text += f", which you {verb}"
    return f"{text}: {_list(shared)}" if shared else text


def matches(catalogue: Catalogue, rows: Ints, profile: Profile) -> list[str | None]:
    """Return one reason per row, such as "Matches your skills: python, go"; None if the item has no value of the profile."""
    return [_match(catalogue, row, profile) for row in rows.tolist()] if profile else [None] * rows.size


def _match(catalogue: Catalogue, row: int, profile: Profile) -> str | None:
    values_of_item = {value.casefold() for facet in catalogue.facets.values() for value in facet.of(row)}
    shared = {key: [value for value in values if value.casefold() in values_of_item] for key, values in profile.items()}
    key = max(sorted(shared), key=lambda name: len(shared[name]))
    return f"Matches your {key.replace('_', ' ')}: {_list(shared[key])}" if shared[key] else None


def shared_tags(catalogue: Catalogue, row: int, other: int) -> list[str]:
    """Return the tags that two items have in common; without any, the common categories."""
    for name in ("tags", "category"):
        facet = catalogue.facets.get(name)
        shared = sorted(set(facet.of(row)) & set(facet.of(other))) if facet is not None else []
        if shared:
            return shared
    return []


def _list(values: Collection[str]) -> str:
    return ", ".join(list(dict.fromkeys(values))[:MAX_NAMED])
