"""Rules about a list that the service applies to its candidates and Django to its fallback items."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

ValuesOf = Callable[[str], Sequence[str]]  # facet -> one item's values of it


class ValueCap:
    """At most `limit` items of a list may have the same value of `facet`. Items without a value are not limited."""

    def __init__(self, *, limit: int = 3, facet: str = "category") -> None:
        self.limit, self.facet = limit, facet
        self._counts: Counter[str] = Counter()

    def allows(self, values: Sequence[str]) -> bool:
        """True if an item with these values may follow the items that were added."""
        return all(self._counts[value] < self.limit for value in values)

    def add(self, values: Sequence[str]) -> None:
        """Count an item of the list."""
        self._counts.update(values)


CAPS: Mapping[str, type[ValueCap]] = {"max_per_category": ValueCap}  # rule kind in the use-case file -> rule


class ListCaps:
    """The caps of one list, of which the next in order is dropped whenever too few items pass them.

    `rules` are kinds and options, `relax` the kinds or facets of those that may be dropped, the first one first; None: all, the
    last rule first.
    """

    def __init__(self, rules: Iterable[tuple[str, Mapping[str, object]]], relax: Sequence[str] | None = None) -> None:
        self._caps = [(kind, CAPS[kind](**options)) for kind, options in rules if kind in CAPS]  # type: ignore[arg-type]  # checked at start
        named = [cap for name in relax or () for cap in self._caps if name in (cap[0], cap[1].facet)]
        self._order = list(reversed(self._caps)) if relax is None else named

    def __bool__(self) -> bool:
        return bool(self._caps)

    def allows(self, values_of: ValuesOf) -> bool:
        """True if an item with these values may follow the items that were added."""
        return all(cap.allows(values_of(cap.facet)) for _, cap in self._caps)

    def add(self, values_of: ValuesOf) -> None:
        """Count an item of the list."""
        for _, cap in self._caps:
            cap.add(values_of(cap.facet))

    def relax(self) -> tuple[str, str] | None:
        """Drop the next cap; return its kind and what it was, as text. None: no cap may be dropped any more."""
        left = [cap for cap in self._order if cap in self._caps]
        if not left:
            return None
        kind, cap = left[0]
        self._caps.remove(left[0])
        return kind, f"at most {cap.limit} of one {cap.facet} would have left too few items"
