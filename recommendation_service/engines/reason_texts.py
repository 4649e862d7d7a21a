"""The texts of reasons: short, true, about the user's own actions and never about another user."""

from collections.abc import Collection, Sequence

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Profile
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import LikedItems

MAX_NAMED = 3  # values in one reason; longer lists are not read


def strongest_liked(engine: str, titles: Sequence[str], liked: LikedItems, shares: AnyArray) -> list[tuple[Reason, ...]]:
    """One reason per column of `shares` (k liked items, n rows): the liked item that adds most, if it adds anything."""
    best = np.argmax(shares, axis=0)
    strengths = shares[best, np.arange(shares.shape[1])]
    return [
        (Reason(engine, because(titles[liked.rows[index]], of_subject=liked.from_subject), strength),) if strength > 0 else ()
        for index, strength in zip(best.tolist(), strengths.tolist(), strict=True)
    ]


def because(title: str, *, of_subject: bool) -> str:
    """The reason for an item that goes with another one."""
    return f"Goes with {title}" if of_subject else f"Because you liked {title}"


def similar(title: str, shared: Collection[str], *, of_subject: bool) -> str:
    """The reason for an item with similar content; `shared` are values that both items have."""
    text = f"Similar to {title}" if of_subject else f"Similar to {title}, which you liked"
    return f"{text}: {_list(shared)}" if shared else text


def matches(catalogue: Catalogue, row: int, profile: Profile) -> str | None:
    """Such as "Matches your skills: python, go"; None if the item has no value of the profile."""
    if not profile:
        return None
    values_of_item = carries(catalogue, row)
    shared = {key: [value for value in values if value.casefold() in values_of_item] for key, values in profile.items()}
    key = max(sorted(shared), key=lambda name: len(shared[name]), default=None)
    if key is None or not shared[key]:
        return None
    return f"Matches your {key.replace('_', ' ')}: {_list(shared[key])}"


def carries(catalogue: Catalogue, row: int) -> frozenset[str]:
    """Every facet value of one item, casefolded."""
    return frozenset(value.casefold() for facet in catalogue.facets.values() for value in facet.of(row))


def shared_tags(catalogue: Catalogue, row: int, other: int) -> list[str]:
    """The tags that two items have in common; without any, the common categories."""
    for name in ("tags", "category"):
        facet = catalogue.facets.get(name)
        shared = sorted(set(facet.of(row)) & set(facet.of(other))) if facet is not None else []
        if shared:
            return shared
    return []


def _list(values: Collection[str]) -> str:
    return ", ".join(list(dict.fromkeys(values))[:MAX_NAMED])
