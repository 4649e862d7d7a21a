"""Rules about a list that the service applies to its candidates and Django to its fallback items."""

from collections import Counter
from collections.abc import Mapping, Sequence


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
