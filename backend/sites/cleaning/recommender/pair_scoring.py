"""The two ways round of one thing: cleaners for a job, and jobs for a cleaner. One pair, one score, whichever side asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from recommendation_service.core.numeric import Bools, Floats, Ints
from recommendation_service.datasets.pair_features import PairTable, RulePart, RuleScores, join_pairs, read_rules, rule_scores
from recommendation_service.domain.side import Side
from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.schema import PairConfig
from sites.cleaning.models import Cleaner, CleaningJob
from sites.cleaning.recommender.candidates import Filters, fitting
from sites.cleaning.scoring.pair_features import cleaner_side, job_side
from tandem.use_cases import load

USE_CASE = "cleaning"


@dataclass(frozen=True, slots=True)
class Way:
    """Who is shown what, and in which words."""

    surface: str
    shown: str  # what one row of a list is: its key there
    catalogue: str  # of what is shown
    shown_with: str  # the relation that whoever shows it needs
    price: str  # the column that filters of the price compare
    own: Callable[[Sequence[Any]], Side]  # the side of whom or what the list is for
    things: Callable[[Sequence[Any]], Side]  # the side of what is shown


CLEANERS_FOR_JOB = Way("cleaners-for-job", "cleaner", "cleaners", "standing", "bid", job_side, cleaner_side)
JOBS_FOR_CLEANER = Way("jobs-for-cleaner", "job", "jobs", "place", "budget", cleaner_side, job_side)


@dataclass(frozen=True, slots=True, eq=False)
class Met:
    """One job or cleaner with all candidates, and what rules say of the n pairs."""

    way: Way
    subject: CleaningJob | Cleaner
    own: Side  # of length 1
    side: Side  # of the n candidates, in the order of their keys
    pairs: PairTable
    fits: Bools  # (n,) within reach and filters
    ruled: RuleScores

    def sentences(self, row: int) -> tuple[str, ...]:
        """Why this pair, by the rules."""
        return self.ruled.sentences(rules(), self.pairs, row, self.way.catalogue)

    def columns(self, rows: Ints) -> tuple[dict[str, float], list[dict[str, float]]]:
        """What the network reads: of the subject, and of these pairs, by name. Unknown numbers are left out."""
        names = [feature.name for feature in pair_config().features]
        of_own = {name: _rounded(column)[0] for name, column in self.own.numbers.items() if name in names}
        told = {name: _rounded(self.pairs.number(name)[rows]) for name in names if name not in of_own}
        of_pairs = [
            {name: value for name, column in told.items() if (value := column[place]) is not None} for place in range(len(rows))
        ]
        return {name: value for name, value in of_own.items() if value is not None}, of_pairs


def met(way: Way, subject: CleaningJob | Cleaner, own: Side, side: Side, filters: Filters) -> Met:
    """The pairs of the subject, which is `own`, with candidates, and what rules say of all of them."""
    pairs = join_pairs(pair_config(), own, side) if way is CLEANERS_FOR_JOB else join_pairs(pair_config(), side, own)
    return Met(way, subject, own, side, pairs, fitting(filters, pairs, price=way.price), rule_scores(rules(), pairs))


@cache
def pair_config() -> PairConfig:
    """How jobs and cleaners meet. Raises ConfigurationError where the use case does not say."""
    found = load(USE_CASE).pairs
    if found is None:
        raise ConfigurationError(f"{USE_CASE}.toml: has no [pairs], which says how jobs and cleaners meet")
    return found


@cache
def rules() -> tuple[RulePart, ...]:
    """The parts of the rule-based score. Raises ConfigurationError where the use case has no engine of that kind."""
    return read_rules(rule_words(), place=f"{USE_CASE}.toml: rule_based")


def rule_words() -> Mapping[str, Any]:
    """The parts as the use case writes them."""
    engine = load(USE_CASE).engine_of_kind("attributes")
    if engine is None:
        raise ConfigurationError(f"{USE_CASE}.toml: has no engine of kind attributes, which gives the rule-based score")
    words: Mapping[str, Any] = engine[1].options.get("parts", {})
    return words


def _rounded(column: Floats) -> list[float | None]:
    """To a millionth, a tenth of a metre: what float32 holds of a degree, in few bytes."""
    return [None if np.isnan(value) else value for value in np.round(column.astype(np.float64), 6).tolist()]
