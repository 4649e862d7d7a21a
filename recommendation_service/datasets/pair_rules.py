"""Rule-based scores of pairs and the sentences that explain them, for Django, training and serving alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from string import Formatter
from typing import Any

import numpy as np

from recommendation_service.core.numeric import Floats, blend
from recommendation_service.datasets.pair_features import PairTable
from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.options import check_keys, checked, find_kind

FULL = np.float32(100)  # the best score of a part
CLEARLY_GOOD = 70.0  # from this score on, a part is a reason


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
    """(n,) 100 if the known speciality is the wanted one, `other` if it is another, NaN if neither column is known.

    If eco-friendly work is wanted, the score is the mean of that and the share of eco-friendly work.
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
    """(n,) percentage of the week that is not taken yet; 0 if `open` is 0."""
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
    """One part of a rule-based score, and the sentence that explains it where the part is clearly good."""

    name: str
    weight: float
    score: Callable[[PairTable], Floats]
    reason_template: Mapping[str, str]  # catalogue that is recommended from -> sentence, with {column} or {score} in it


@dataclass(frozen=True, slots=True, eq=False)
class RuleScores:
    """The rule-based scores of `n` pairs."""

    total: Floats  # (n,) 0 to 100, NaN where nothing is known
    parts: Mapping[str, Floats]  # (n,) each, NaN where unknown

    def sentences(self, rules: tuple[RulePart, ...], pairs: PairTable, row: int, catalogue: str) -> tuple[str, ...]:
        """Sentences for the clearly good parts, largest contribution first, without those that name an unknown column."""
        good = [rule for rule in rules if rule.reason_template.get(catalogue) and self.parts[rule.name][row] >= CLEARLY_GOOD]
        good.sort(key=lambda rule: -rule.weight * float(self.parts[rule.name][row]))
        values = (_TemplateValues(pairs, row, float(self.parts[rule.name][row])) for rule in good)
        sentences = (_filled(rule.reason_template[catalogue], known) for rule, known in zip(good, values, strict=True))
        return tuple(sentence for sentence in sentences if sentence is not None)


def read_rules(parts: Mapping[str, Any], *, where: str) -> tuple[RulePart, ...]:
    """Parse the parts of a use-case file. Raises ConfigurationError that names the key, the value and the allowed values."""
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
    """Return the weighted mean of the parts; the weight of an unknown part goes to the others."""
    parts = {rule.name: rule.score(pairs) for rule in rules}
    return RuleScores(blend(list(parts.values()), [rule.weight for rule in rules]), parts)


class _TemplateValues(dict[str, float]):
    """The columns of one pair, looked up when a template names them; most columns are never named."""

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


def _check_templates(where: str, templates: Mapping[str, str]) -> None:
    for sentence in templates.values():
        try:
            names = [name for _, name, _, _ in Formatter().parse(sentence) if name is not None]
            strange = next((name for name in names if not name.isidentifier()), None)
            if strange is None:
                sentence.format_map(dict.fromkeys(names, 0.0))
        except ValueError as error:
            raise ConfigurationError(f"{where}: reason_template '{sentence}' cannot be read: {error}") from error
        if strange is not None:
            raise ConfigurationError(f"{where}: reason_template '{sentence}' may name columns only, not '{{{strange}}}'")
