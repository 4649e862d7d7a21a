"""Rules over what is known of a pair: works on the first day, and can always say why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.pair_features import PairTable, RuleScores, read_rules, rule_scores
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Reason
from recommendation_service.engines.base import Engine
from recommendation_service.engines.latest import Latest
from recommendation_service.engines.pair_base import pairs_of
from recommendation_service.use_cases.schema import PairConfig


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """What the rules say of one query's pairs."""

    pairs: PairTable
    said: RuleScores


class Attributes(Engine):
    """Weighted rules, 0 to 100. Needs no training; a part of which nothing is known leaves its weight to the others."""

    label: ClassVar[str] = "rule-based"
    reads_offers: ClassVar[bool] = True

    def __init__(self, name: str, _catalogue: Catalogue, *, pair_config: PairConfig, parts: Mapping[str, Any]) -> None:
        """`parts` as the use-case file writes them; raises ConfigurationError naming the part, the word and those allowed."""
        super().__init__(name, "rules")
        self._pair_config = pair_config
        self._rules = read_rules(parts, place=f"engine '{name}'")
        self._latest: Latest[Weighed | None] = Latest()

    def scores(self, query: Query) -> Floats | None:
        """(n_items,) 0 to 100, NaN where nothing is known of the pair; None without a context or without columns."""
        weighed = self._weighed(query)
        return None if weighed is None else weighed.said.total

    def recommend(self, query: Query, limit: int) -> Candidates | None:
        """The best rows; beside its score, a row's parts are what each rule gave it, 0 to 100, which do not sum to it."""
        found = super().recommend(query, limit)
        weighed = self._weighed(query)
        if found is None or weighed is None:
            return None
        own = {name: part[found.rows] for name, part in weighed.said.parts.items()}
        return Candidates(found.rows, found.scores, {**found.parts, **own})

    def explain(self, query: Query, row: int) -> Reason | None:
        """What adds most to the score, where that is clearly good."""
        return next(iter(self.reasons(query, row)), None)

    def reasons(self, query: Query, row: int) -> tuple[Reason, ...]:
        """A sentence for every part that is clearly good, what adds most first."""
        weighed = self._weighed(query)
        if weighed is None:
            return ()
        told = weighed.said.sentences(self._rules, weighed.pairs, row, query.catalogue.name)
        return tuple(Reason(self.name, text, float(len(told) - place)) for place, text in enumerate(told))

    def _weighed(self, query: Query) -> Weighed | None:
        kept = self._latest.of(query)
        if kept is not None:
            return kept
        pairs = pairs_of(query, self._pair_config)
        return self._latest.keep(query, None if pairs is None else Weighed(pairs, rule_scores(self._rules, pairs)))
