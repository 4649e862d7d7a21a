"""What is worked out of two things that meet: the columns of the pair, what a network reads of it, what rules say of it.

Export, training, rules in Django and engines in the service all come here, so that a pair means the same everywhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from string import Formatter
from typing import Any

import numpy as np

from recommendation_service.core.numeric import Floats, blend
from recommendation_service.domain.side import ID_COLUMN, PairSide, Texts
from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.options import check_keys, checked, find_kind
from recommendation_service.use_cases.schema import Feature, PairConfig

EARTH_KM = 6371.0
FULL = np.float32(100)  # what a part of a rule-based score is out of
CLEARLY_GOOD = 70.0  # from here on a part is a reason


@dataclass(frozen=True, slots=True, eq=False)
class PairTable:
    """`n` pairs with every column of both sides and their own, (n,) each; NaN and "" where unknown."""

    n: int
    numbers: Mapping[str, Floats]
    text_columns: Mapping[str, Texts]

    def number(self, name: str) -> Floats:
        """(n,) of one column; NaN where neither side has it."""
        column = self.numbers.get(name)
        return np.full(self.n, np.nan, dtype=np.float32) if column is None else column

    def text(self, name: str) -> Texts:
        """(n,) of one column; "" where neither side has it."""
        column = self.text_columns.get(name)
        return np.full(self.n, "", dtype="U1") if column is None else column


def join_pairs(pair_config: PairConfig, first: PairSide, second: PairSide) -> PairTable:
    """Pair by pair, or one against all where a side has one thing only.

    A derived column that a side brings, such as the bid somebody placed, is kept where it is known. Columns
    "left_owner" and "right_owner" are text columns: the owners' ids.
    """
    n = max(len(first), len(second)) if len(first) and len(second) else 0
    numbers = {name: _spread(column, n) for side in (first, second) for name, column in side.numbers.items()}
    text_columns = {name: _spread(column, n) for side in (first, second) for name, column in side.text_columns.items()}
    for side_name, catalogue, side in (("left", pair_config.left, first), ("right", pair_config.right, second)):
        text_columns[f"{side_name}_owner"] = _spread(_persons(side, pair_config.owner_column.get(catalogue, "")), n)
    return derive(pair_config, PairTable(n, numbers, text_columns))


def derive(pair_config: PairConfig, pairs: PairTable) -> PairTable:
    """The pairs with their derived columns worked out wherever they are unknown."""
    numbers = dict(pairs.numbers)
    for name, part in pair_config.derived.items():
        make = find_kind(DERIVED, part.kind, where=f"[pairs], derived '{name}'")
        options = checked(make, part.options, where=f"[pairs], derived '{name}', {part.kind}")
        worked_out = make(pairs, **options)
        known = pairs.number(name)
        numbers[name] = np.where(np.isnan(known), worked_out, known).astype(np.float32)
    return PairTable(pairs.n, numbers, pairs.text_columns)


def features(pair_config: PairConfig, pairs: PairTable, chosen: tuple[Feature, ...] | None = None) -> Floats:
    """(n, k) float32 of what a network reads, NaN where unknown; `chosen` instead of the configured features.

    What has no logarithm, where one is wanted, is unknown.
    """
    wanted = pair_config.features if chosen is None else chosen
    table = np.empty((pairs.n, len(wanted)), dtype=np.float32)
    for column_index, feature in enumerate(wanted):
        column = pairs.number(feature.name)
        table[:, column_index] = (
            (np.log1p(np.where(column > -1, column, np.nan)) if feature.log1p else column) - feature.offset
        ) / feature.scale
    return table


def distance(pairs: PairTable, *, from_columns: list[str], to_columns: list[str]) -> Floats:
    """(n,) kilometres on the great circle between two pairs of columns of degrees: latitude, longitude."""
    south, west, north, east = (np.radians(pairs.number(name).astype(np.float64)) for name in (*from_columns, *to_columns))
    half = np.sin((north - south) / 2) ** 2 + np.cos(south) * np.cos(north) * np.sin((east - west) / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))), dtype=np.float32)


def expected(pairs: PairTable, *, rate: str, amount: str) -> Floats:
    """(n,) rate * amount: what somebody who asks so much an hour would ask for so many hours."""
    return pairs.number(rate) * pairs.number(amount)


DERIVED: Mapping[str, Callable[..., Floats]] = {"distance": distance, "expected": expected}


def level(pairs: PairTable, *, of: str) -> Floats:
    """(n,) a column that is 0 to 100 already."""
    return np.asarray(np.clip(pairs.number(of), 0, FULL), dtype=np.float32)


def near(pairs: PairTable, *, of: str, best: float, worst: float) -> Floats:
    """(n,) 100 up to `best` kilometres, 0 from `worst` on, straight between."""
    share = np.clip((worst - pairs.number(of)) / (worst - best), 0, 1)
    return np.asarray(share * FULL, dtype=np.float32)


def speciality(
    pairs: PairTable, *, wanted: str, known_for: str, eco_wanted: str, eco_share: str, other: float = 40.0
) -> Floats:
    """(n,) 100 where somebody is best known for what is wanted, `other` where for something else.

    Where eco-friendly work is wanted, half of it is the share of their work that was so. NaN where neither is known.
    """
    wanted_values, known = pairs.text(wanted), pairs.text(known_for)
    fits = np.where(wanted_values == known, FULL, np.float32(other)).astype(np.float32)
    fits[(wanted_values == "") | (known == "")] = np.nan
    eco = np.where(pairs.number(eco_wanted) > 0, np.clip(pairs.number(eco_share), 0, FULL), np.nan).astype(np.float32)
    return blend([fits, eco], [1.0, 1.0])


def affordable(pairs: PairTable, *, price: str, budget: str, cheap: float = 0.7, dear: float = 1.4) -> Floats:
    """(n,) 100 up to `cheap` of the budget, 0 from `dear` of it on, straight between."""
    share = pairs.number(price) / np.maximum(pairs.number(budget), np.float32(1e-6))
    return np.clip((dear - share) / (dear - cheap), 0, 1).astype(np.float32) * FULL


def free(pairs: PairTable, *, taken: str, most: str, open: str) -> Floats:
    """(n,) the share of the week that is not taken yet; 0 for somebody who takes nothing now."""
    share = np.clip(1 - np.nan_to_num(pairs.number(taken)) / np.maximum(pairs.number(most), np.float32(1)), 0, 1)
    return np.where(pairs.number(open) == 0, np.float32(0), share * FULL).astype(np.float32)


PARTS: Mapping[str, Callable[..., Floats]] = {
    "level": level,
    "near": near,
    "speciality": speciality,
    "affordable": affordable,
    "free": free,
}


@dataclass(frozen=True, slots=True)
class RulePart:
    """One part of a rule-based score, and what is said of it where it is clearly good."""

    name: str
    weight: float
    score: Callable[[PairTable], Floats]
    reason_template: Mapping[str, str]  # catalogue that is recommended from -> sentence, with {column} or {score} in it


@dataclass(frozen=True, slots=True, eq=False)
class RuleScores:
    """What rules say of `n` pairs."""

    total: Floats  # (n,) 0 to 100, NaN where nothing is known
    parts: Mapping[str, Floats]  # (n,) each, NaN where unknown

    def sentences(self, rules: tuple[RulePart, ...], pairs: PairTable, row: int, catalogue: str) -> tuple[str, ...]:
        """Why this pair, in sentences, the part that adds most to the score first; none that names what is unknown."""
        good = [rule for rule in rules if rule.reason_template.get(catalogue) and self.parts[rule.name][row] >= CLEARLY_GOOD]
        good.sort(key=lambda rule: -rule.weight * float(self.parts[rule.name][row]))
        values = (_TemplateValues(pairs, row, float(self.parts[rule.name][row])) for rule in good)
        sentences = (_filled(rule.reason_template[catalogue], known) for rule, known in zip(good, values, strict=True))
        return tuple(sentence for sentence in sentences if sentence is not None)


def read_rules(parts: Mapping[str, Any], *, where: str) -> tuple[RulePart, ...]:
    """The parts as a use-case file writes them. Raises ConfigurationError naming the place, the word and those allowed."""
    rules = []
    for name, settings in parts.items():
        context = f"{where}: part '{name}'"
        check_keys(settings, ("weight", "kind", "options", "reason_template"), where=context)
        weight = settings.get("weight")
        if not isinstance(weight, int | float) or isinstance(weight, bool) or weight < 0:
            raise ConfigurationError(f"{context} needs a weight of 0 or more, not {weight!r}")
        score = find_kind(PARTS, settings.get("kind", ""), where=context)
        options = checked(score, settings.get("options", {}), where=f"{context}, {settings['kind']}")
        templates = dict(settings.get("reason_template", {}))
        _check_templates(context, templates)
        rules.append(RulePart(name, float(weight), partial(score, **options), templates))
    if not rules or sum(rule.weight for rule in rules) <= 0:
        raise ConfigurationError(f"{where}: at least one part needs a weight above 0")
    return tuple(rules)


def rule_scores(rules: tuple[RulePart, ...], pairs: PairTable) -> RuleScores:
    """The weighted mean of the parts; a part of which nothing is known leaves its weight to the others."""
    parts = {rule.name: rule.score(pairs) for rule in rules}
    return RuleScores(blend(list(parts.values()), [rule.weight for rule in rules]), parts)


class _TemplateValues(dict[str, float]):
    """One pair's columns, looked up as a sentence names them: a hundred pairs have thousands that none names."""

    def __init__(self, pairs: PairTable, row: int, score: float) -> None:
        super().__init__(score=score)
        self._pairs, self._row = pairs, row

    def __missing__(self, name: str) -> float:
        value = float(self._pairs.number(name)[self._row])
        if np.isnan(value):
            raise KeyError(name)
        return value


def _filled(sentence: str, known: Mapping[str, float]) -> str | None:
    try:
        return sentence.format_map(known)
    except KeyError:
        return None


def _check_templates(column_index: str, templates: Mapping[str, str]) -> None:
    for sentence in templates.values():
        try:
            names = [name for _, name, _, _ in Formatter().parse(sentence) if name is not None]
            strange = next((name for name in names if not name.isidentifier()), None)
            if strange is None:
                sentence.format_map(dict.fromkeys(names, 0.0))
        except ValueError as error:
            raise ConfigurationError(f"{column_index}: reason_template '{sentence}' cannot be read: {error}") from error
        if strange is not None:
            raise ConfigurationError(f"{column_index}: reason_template '{sentence}' may name columns only, not '{{{strange}}}'")


def _persons(side: PairSide, name: str) -> Texts:
    if name == ID_COLUMN:
        return np.array(side.ids, dtype=np.str_)
    column = side.text_columns.get(name)
    return np.full(len(side), "", dtype="U1") if column is None else column


def _spread(column: Any, n: int) -> Any:
    return column if column.shape[0] == n else np.broadcast_to(column, (n,))
