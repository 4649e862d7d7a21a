"""The words of reasons: short, true, about the visitor's own doing and never about another person."""

from collections.abc import Collection

from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Profile

NAMED_AT_MOST = 3  # a reason that lists more is not read


def because(title: str, *, of_subject: bool) -> str:
    """Why a row that goes with another one is shown."""
    return f"Goes with {title}" if of_subject else f"Because you liked {title}"


def similar(title: str, shared: Collection[str], *, of_subject: bool) -> str:
    """As `because`, for likeness of content; `shared` are values both items carry."""
    told = f"Similar to {title}" if of_subject else f"Similar to {title}, which you liked"
    return f"{told}: {_list(shared)}" if shared else told


def matches(catalogue: Catalogue, row: int, profile: Profile) -> str | None:
    """Such as "Matches your skills: python, go"; None when the item carries nothing the profile names."""
    if not profile:
        return None
    carried = carries(catalogue, row)
    found = {key: [value for value in values if value.casefold() in carried] for key, values in profile.items()}
    key = max(sorted(found), key=lambda name: len(found[name]), default=None)
    if key is None or not found[key]:
        return None
    return f"Matches your {key.replace('_', ' ')}: {_list(found[key])}"


def carries(catalogue: Catalogue, row: int) -> frozenset[str]:
    """Every facet value of one item, casefolded."""
    return frozenset(value.casefold() for facet in catalogue.facets.values() for value in facet.of(row))


def shared_tags(catalogue: Catalogue, row: int, other: int) -> list[str]:
    """Tags, or failing these the category, that two items have in common."""
    for name in ("tags", "category"):
        facet = catalogue.facets.get(name)
        both = sorted(set(facet.of(row)) & set(facet.of(other))) if facet is not None else []
        if both:
            return both
    return []


def _list(words: Collection[str]) -> str:
    return ", ".join(list(dict.fromkeys(words))[:NAMED_AT_MOST])
