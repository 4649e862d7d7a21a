"""The pairs that a query is about: its context with everything that may be recommended."""

from recommendation_service.datasets.pair_features import PairTable, join_pairs
from recommendation_service.domain.query import Query
from recommendation_service.use_cases.schema import PairConfig


def pairs_of(query: Query, pair_config: PairConfig) -> PairTable | None:
    """The context met with every row of the query's catalogue, in row order; None where either is not known.

    Which side the context is on follows from the catalogue that is asked for, so that a job and a cleaner are the same
    pair whichever of them asks.
    """
    there = query.catalogue.side if query.offered is None else query.offered
    if query.context is None or there is None or not len(there):
        return None
    if query.catalogue.name == pair_config.right:
        return join_pairs(pair_config, query.context, there)
    return join_pairs(pair_config, there, query.context) if query.catalogue.name == pair_config.left else None
