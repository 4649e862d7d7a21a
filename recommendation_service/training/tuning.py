"""Searches a model's settings on a validation part: the right ones differ from site to site by more than models do.

A search is a few stages; a stage tries all combinations of some settings with the others as they were best so far. What
was tried is remembered, so that an interrupted search goes on where it stopped.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from recommendation_service.training.report import Progress

DEFAULT_BUDGET_S = 30.0
Stage = Mapping[str, Sequence[Any]]  # setting -> values to try, every combination

SEARCHES: Mapping[str, tuple[Stage, ...]] = {
    # implicit does not scale regularization by frequency, so good values look huge; the most telling ones come first
    "als": (
        {
            "solver": ("implicit",),
            "frequency_scaling": (0.0,),
            "factors": (64,),
            "iterations": (15,),
            "regularization": (100.0, 30.0, 10.0, 300.0, 0.01),
            "alpha": (40.0, 10.0, 4.0, 1.0),
        },
        {"factors": (128, 192)},
        # slower, so only what is left of the budget; alpha is 1 / alpha0 of Rendle et al. (2022)
        {
            "solver": ("exact",),
            "frequency_scaling": (1.0,),
            "factors": (64,),
            "iterations": (12,),
            "regularization": (0.01, 0.03, 0.003),
            "alpha": (3.0, 10.0, 100.0),
        },
        {"factors": (128,)},
    ),
    "ease": (
        {"method": ("neighbours",)},  # on sparse data as good in a tenth of the time, and then regularization is idle
        {"regularization": (1_000.0, 300.0, 3_000.0, 100.0, 10_000.0, 30.0)},
        {"rarity": (0.0, 0.25), "popularity": (0.25, 0.0)},
        {"decay_days": (365.0, 90.0, 30.0)},
        {"activity": (0.0, 1.0)},
    ),
    "next_item": (
        {"regularization": (400.0, 100.0, 1_600.0, 30.0)},
        {"popularity": (0.0, 0.25)},
        {"long_fade": (5.0, 40.0)},
        {"only_fade": (2.0, 6.0)},
        {"backwards": (0.0, 1.0)},
    ),
    # what it learns matters more than any size: taste is stated, then what comes next, then taste where order says little
    "two_tower": (
        {
            "ahead": (3,),
            "recent": (20,),
            "decay": (0.8,),
            "batch": (512,),
            "patience": (4,),
            "counted_start": (True,),
        },
        {"temperature": (0.2,)},
        {
            "ahead": (0,),
            "in_order": (False,),
            "recent": (60,),
            "decay": (1.0,),
            "batch": (256,),
            "patience": (6,),
            "counted_start": (True,),
        },
        {"temperature": (0.05,)},
        {"recent": (10, 60)},
        {"dimension": (128,), "hidden": (256,)},
    ),
    "sasrec": ({"dimension": (128,)}, {"recent": (50,)}),  # minutes on a large log, so little is tried
    # how much a category says beside the words of a text is a matter of how the site writes
    "content": ({"facet_repeats": (4, 8, 1, 16)},),
    "embedding": ({"facet_repeats": (4, 8, 1, 16)},),
    "margin": ({"negatives": (32, 2)}, {"learning_rate": (0.001,)}, {"popularity_power": (0.5,)}),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """One set of settings and what it scored on validation."""

    parameters: Any
    score: float
    at_s: float = field(default=0.0, compare=False)  # seconds after the search began; what was remembered takes none


@dataclass(frozen=True, slots=True)
class Searched:
    """The best settings found, and what the search gained over the settings it began with."""

    best: Tried
    stated: Tried
    tried: tuple[Tried, ...] = field(repr=False)
    whole: bool  # False: the budget ended the search, so a quicker machine may find other settings

    @property
    def gain(self) -> float:
        """Relative gain, 0 when nothing was better."""
        return self.best.score / self.stated.score - 1 if self.stated.score > 0 else 0.0


class Memory:
    """What was tried before on the same data, in one small file; without a file, for this run only.

    A file that cannot be read is begun anew: it only ever saves time.
    """

    def __init__(self, path: Path | None = None, *, of: str = "") -> None:
        """`of` names the data, such as an export's fingerprint: other data's results are not used."""
        self._path, self._of = path, of
        self._known: dict[str, float] = {}
        if path is not None and path.exists():
            try:
                told = json.loads(path.read_text(encoding="utf-8"))
                self._known = {str(key): float(score) for key, score in told["scores"].items()} if told["of"] == of else {}
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                self._known = {}

    def score(self, kind: str, parameters: Any, measure: Callable[[Any], float]) -> float:
        """What these settings score, measured unless it is known."""
        key = f"{kind} {json.dumps(asdict(parameters), sort_keys=True)}"
        if key not in self._known:
            self._known[key] = measure(parameters)
            self._keep()
        return self._known[key]

    def _keep(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_suffix(f".{os.getpid()}.tmp")
        aside.write_text(json.dumps({"of": self._of, "scores": self._known}, indent=1) + "\n", encoding="utf-8")
        aside.replace(self._path)


def search(
    kind: str,
    stated: Any,
    measure: Callable[[Any], float],
    *,
    budget_s: float = DEFAULT_BUDGET_S,
    memory: Memory | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
    stages: Sequence[Stage] | None = None,
) -> Searched:
    """The best settings of one kind by `measure` (higher is better); `stages` in place of the kind's own.

    The stated ones are tried first and kept unless something is better. Ends after the first try that finishes beyond
    `budget_s` seconds. A kind that has no search keeps what is stated.
    """
    begun, known = clock(), memory or Memory()
    stages = stages_of(kind, stated) if stages is None else stages
    most = 1 + sum(len(list(_combinations(stage))) for stage in stages)

    def measured(parameters: Any) -> Tried:
        return Tried(parameters, known.score(kind, parameters, measure), clock() - begun)

    tried = [measured(stated)]
    for candidate in _candidates(stages, tried):
        if clock() - begun > budget_s:
            break
        if any(one.parameters == candidate for one in tried):
            continue
        tried.append(measured(candidate))
        if progress:
            progress(len(tried), most, f"{_changed(stated, candidate)}: {tried[-1].score:.4f}")
    return Searched(_best(tried), tried[0], tuple(tried), clock() - begun <= budget_s)


def stages_of(kind: str, stated: Any) -> tuple[Stage, ...]:
    """The stages of a kind's search; none where there is nothing to find, as in the vectors of a ready-made model."""
    return () if getattr(stated, "model", "") else SEARCHES.get(kind, ())


def searched_settings(kind: str) -> tuple[str, ...]:
    """The names of the settings that a kind's search varies, each once, in the order of the stages."""
    return tuple(dict.fromkeys(name for stage in SEARCHES.get(kind, ()) for name in stage))


def told(searched: Searched) -> str:
    """In one line: what was changed, what it gained, how much was tried."""
    changed = _changed(searched.stated.parameters, searched.best.parameters) or "the stated settings"
    end = "" if searched.whole else ", ended by its budget"
    return (
        f"{changed}: NDCG@10 {searched.best.score:.4f} against {searched.stated.score:.4f} with the stated settings"
        f" ({searched.gain:+.0%}, {len(searched.tried)} tried{end})"
    )


def figures(searched: Searched) -> dict[str, Any]:
    """For a manifest."""
    return {
        "stated_ndcg_at_10": searched.stated.score,
        "tuned_ndcg_at_10": searched.best.score,
        "gain": searched.gain,
        "tried": len(searched.tried),
        "whole_search": searched.whole,
    }


def _candidates(stages: Sequence[Stage], tried: Sequence[Tried]) -> Iterator[Any]:
    """Later stages begin at the best of what was tried by then, so `tried` is read as it grows."""
    for stage in stages:
        start = _best(tried).parameters
        for values in _combinations(stage):
            yield replace(start, **values)


def _combinations(stage: Stage) -> Iterator[dict[str, Any]]:
    for values in product(*stage.values()):
        yield dict(zip(stage, values, strict=True))


def _best(tried: Sequence[Tried]) -> Tried:
    return max(tried, key=lambda one: one.score)


def _changed(stated: Any, other: Any) -> str:
    before, after = asdict(stated), asdict(other)
    return ", ".join(f"{name} {spelled(after[name])}" for name in after if after[name] != before[name])


def spelled(value: Any) -> str:
    """A setting's value for people."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
