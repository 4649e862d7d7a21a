"""Rules over the columns of a pair; they need no training, and every score has its reasons."""

from collections.abc import Mapping
from typing import Any, ClassVar

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.datasets.pair_features import PairTable, join_pairs
from recommendation_service.datasets.pair_rules import read_rules, rule_scores
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Reason, Retrieved
from recommendation_service.engines.base import Engine
from recommendation_service.use_cases.schema import PairConfig


def pairs_of(query: Query, pair_config: PairConfig, rows: Ints | None = None) -> PairTable | None:
    """Return the pairs of the context with every row of the query's catalogue, or with `rows`; None if either is unknown.

    Which side the context is on depends on the requested catalogue, so that a job and a cleaner are the same pair in
    both directions.
    """
    items = query.catalogue.side if query.offered is None else query.offered
    if query.context is None or items is None or not len(items):
        return None
    items = items if rows is None else items.take(rows)
    if query.catalogue.name == pair_config.right:
        return join_pairs(pair_config, query.context, items)
    return join_pairs(pair_config, items, query.context) if query.catalogue.name == pair_config.left else None


class RuleBased(Engine):
    """Weighted rules, 0 to 100. Needs no training; a rule with unknown columns leaves its weight to the others."""

    label: ClassVar[str] = "rule-based"
    reads_offers: ClassVar[bool] = True

    def __init__(self, name: str, _catalogue: Catalogue, *, pair_config: PairConfig, parts: Mapping[str, Any]) -> None:
        """`parts` as in the use-case file; raises ConfigurationError naming the part, the key and the allowed keys."""
        super().__init__(name, "rules")
        self._pair_config = pair_config
        self._rules = read_rules(parts, where=f"engine '{name}'")

    def scores(self, query: Query) -> Floats | None:
        """Return (n_items,) 0 to 100, NaN: no column of the pair is known; None without a context or without columns."""
        pairs = pairs_of(query, self._pair_config)
        return None if pairs is None else rule_scores(self._rules, pairs).total

    def retrieve(self, query: Query, limit: int) -> Retrieved | None:
        """Return the best rows; the parts also have the score of each rule, 0 to 100, which do not sum to the total."""
        pairs = pairs_of(query, self._pair_config)
        if pairs is None:
            return None
        scored = rule_scores(self._rules, pairs)
        rows = self.best_rows(scored.total, query, limit)
        by_rule = {name: part[rows] for name, part in scored.parts.items()}
        return Retrieved(Candidates(rows, scored.total[rows], {self.name: scored.total[rows], **by_rule}))

    def explain(
        self, query: Query, rows: Ints, parts: Mapping[str, Floats] | None = None, basis: Any = None
    ) -> list[tuple[Reason, ...]]:
        """Return a sentence for every rule with a clearly good score, the largest share of the score first."""
        pairs = pairs_of(query, self._pair_config, rows)
        if pairs is None:
            return [()] * rows.size
        scored = rule_scores(self._rules, pairs)
        reasons = []
        for index in range(rows.size):
            texts = scored.sentences(self._rules, pairs, index, query.catalogue.name)
            reasons.append(tuple(Reason(self.name, text, float(len(texts) - rank)) for rank, text in enumerate(texts)))
        return reasons
