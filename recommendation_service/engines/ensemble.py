"""The ensemble: members' scores, scaled to one range for this user, then averaged by weight."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isnan
from typing import Any, ClassVar, Literal

import numpy as np

from recommendation_service.core.numeric import Bools, Floats, Ints, blend, top_rows, unit_range
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Reason, Skip
from recommendation_service.engines.base import Engine
from recommendation_service.engines.blend_weights import Weights, learned_weights, stated_weights
from recommendation_service.engines.latest import Latest
from recommendation_service.engines.safe_call import take_turn
from recommendation_service.errors import ConfigurationError
from recommendation_service.publishing.store import Artifact

LEAST_MEMBERS = 2
SILENT = "cannot_say"
MOST_REASONS = 3
Scale = Literal["unit", "as_scored"]
WITHOUT = ", so "  # parts why a member is missing from what that means


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """One query's blend: what each member said, and what is missing."""

    weights: Mapping[str, float]  # of the members that answered
    scaled: Mapping[str, Floats]  # (n_items,) in [0, 1] or as scored, NaN: cannot say or not eligible
    scores: Floats | None  # (n_items,) None: too few members answered
    missing: tuple[Skip, ...]
    laps: Mapping[str, float]  # stage -> ms

    def shares(self, rows: Ints) -> dict[str, Floats]:
        """Member -> (k,) what it adds to the scores of these rows, NaN where it cannot say; together they are the score."""
        said = {name: scaled[rows] for name, scaled in self.scaled.items()}
        heard = np.zeros(rows.size, dtype=np.float32)
        for name, own in said.items():
            heard += np.float32(self.weights[name]) * ~np.isnan(own)
        heard = np.maximum(heard, 1e-12)
        return {name: (np.float32(self.weights[name]) * own / heard).astype(np.float32) for name, own in said.items()}

    def by_share(self, row: int) -> list[str]:
        """The members by what they add to the score of this row, most first; those that cannot say add nothing."""
        added = {name: self.weights[name] * float(scaled[row]) for name, scaled in self.scaled.items()}
        return sorted(added, key=lambda name: 0.0 if isnan(added[name]) else -added[name])


class Ensemble(Engine):
    """Weighted average of its members, after per-user min-max over the eligible rows unless told to take them as scored.

    A member that cannot say for a row leaves its weight to the others. It answers when two members can (one, if
    only one has any weight, or if it is told so); members that could not are told by `partial`. A member may be an
    ensemble itself. With `candidate_generators` it works in stages: those members' best rows together are the candidates, and
    all members score them. What a row scores does not depend on who proposed it.
    """

    label: ClassVar[str] = "ensemble"
    least: ClassVar[float] = 0.0  # as a member it proposes nothing that all its own members put last
    reads_offers: ClassVar[bool] = True  # it holds no rows of its own, and its members take turns like everybody

    def __init__(
        self,
        name: str,
        version: str,
        engines: Mapping[str, Engine],
        weights: Mapping[str, float] | Weights,
        without: Collection[str] = (),
        *,
        candidate_generators: Mapping[str, int] | None = None,
        min_members: int = LEAST_MEMBERS,
        optional_members: Collection[str] = (),
        scale: Scale = "unit",
        told: Skip | None = None,
        learned: bool = False,
    ) -> None:
        """`weights` names every member, also those that `engines` lacks; they are >= 0 and sum to 1, for everybody alike
        unless they are Weights of segments.

        Members in `without` are not asked, whatever is trained. No `candidate_generators`: all are candidates. That a member
        of `optional_members` cannot say is as it should be, and not told, as long as enough others can. `told` is told with
        every answer; `learned` says where the weights are from.
        """
        super().__init__(name, version)
        self.learned = learned
        self._told = () if told is None else (told,)
        self._without = frozenset(without)
        self._weights = weights if isinstance(weights, Weights) else Weights(dict(weights))
        self._engines = dict(engines)
        self._candidate_generators = dict(candidate_generators or {})
        self._min_members = min_members
        self._optional_members = frozenset(optional_members)
        self._scale = unit_range if scale == "unit" else _as_scored
        self._latest: Latest[Blend] = Latest()

    @classmethod
    def from_members(
        cls,
        name: str,
        engines: Mapping[str, Engine],
        artifact: Artifact | Skip | None = None,
        *,
        members: Mapping[str, float],
        learnable_members: Sequence[str] = (),
        weights: Literal["learned", "configured"] = "configured",
        without: Sequence[str] = (),
        candidate_generators: Mapping[str, int] | None = None,
        min_members: int = LEAST_MEMBERS,
        optional_members: Sequence[str] = (),
        scale: Scale = "unit",
    ) -> "Ensemble":
        """Of the engines at hand, by name; `members` are the configured weights, scaled here to sum to 1.

        With weights="learned" they come from an artifact of kind "ensemble", which may weigh `learnable_members` too, and
        differently for people with few and with many interactions. Until there is one the stated ones serve; so they do
        where a Skip says why there is none that can be used, and then every answer tells that.
        `without` names members that are switched off: they keep their weight's place and are told as missing.
        `candidate_generators` says how many candidates some members propose, `min_members` how many must answer, and
        `optional_members` who often has nothing to say without anything being wrong. With scale="as_scored" the members'
        scores are of one scale already, such as 0 to 100, and so is the blend. Raises ConfigurationError for weights
        that say nothing and for strangers in either, ArtifactRefused for an artifact of other members.
        """
        allowed = {*members, *learnable_members}
        _check_candidate_generators(name, candidate_generators or {}, allowed)
        _check_known(name, "optional_members", optional_members, allowed)
        found = artifact if weights == "learned" else None
        used, versions = stated_weights(name, members), []
        if isinstance(found, Artifact):
            used = learned_weights(found, allowed)
            versions = [found.version]
        heard = (used.heard() | set(candidate_generators or {})) - set(without)
        present = {member: engines[member] for member in used.common if member in heard and member in engines}
        versions += [part for engine in present.values() for part in engine.version.split("+")]
        options: Mapping[str, Any] = {
            "candidate_generators": candidate_generators,
            "min_members": min_members,
            "optional_members": optional_members,
        }
        told = found if isinstance(found, Skip) else None
        return cls(
            name,
            "+".join(dict.fromkeys(versions)),
            present,
            used,
            without,
            scale=scale,
            told=told,
            learned=isinstance(found, Artifact),
            **options,
        )

    @property
    def weights(self) -> Mapping[str, float]:
        """The common weights: what serves everybody whose segment has none of its own."""
        return self._weights.common

    @property
    def manned(self) -> bool:
        """Whether as many members are there as must answer, of those with a weight."""
        weighty = [name for name, weight in self.weights.items() if weight > 0]
        return sum(name in self._engines for name in weighty) >= min(self._min_members, len(weighty))

    def scores(self, query: Query) -> Floats | None:
        """The blend over the eligible candidates and NaN elsewhere; None when too few members can answer.

        From 0 to 1, or on the members' own scale where they are taken as scored.
        """
        return self._blended(query).scores

    def recommend(self, query: Query, limit: int) -> Candidates | None:
        """The best rows with each member's share of their score."""
        blended = self._blended(query)
        if blended.scores is None:
            return None
        rows = top_rows(blended.scores, limit, query.eligible)
        if not rows.size:
            return None
        return Candidates(rows, blended.scores[rows], blended.shares(rows))

    def explain(self, query: Query, row: int) -> Reason | None:
        """The best of `reasons`."""
        return next(iter(self.reasons(query, row)), None)

    def reasons(self, query: Query, row: int) -> tuple[Reason, ...]:
        """The members' reasons, each text once, at most three.

        What is said of this person comes before what would be said to anybody, then the larger share first.
        """
        blended = self._latest.of(query) or self._blended(query)
        found: dict[str, Reason] = {}
        for name in blended.by_share(row):
            if sum(reason.personal for reason in found.values()) >= MOST_REASONS:
                break  # nothing said later could come before these
            given = take_turn(self._engines[name], query, partial(self._engines[name].reasons, query, row))
            for reason in () if isinstance(given, Skip) else given:
                found.setdefault(reason.text, reason)
        return tuple(sorted(found.values(), key=lambda reason: not reason.personal))[:MOST_REASONS]

    def partial(self, query: Query) -> tuple[Skip, ...]:
        """The members that were missing from this query's answer, or from a member's own, and why."""
        return (*self._told, *(self._latest.of(query) or self._blended(query)).missing)

    def laps(self, query: Query) -> Mapping[str, float]:
        """With candidates of its own: ms spent on finding them and on scoring them."""
        kept = self._latest.of(query)
        return kept.laps if kept is not None and self._candidate_generators else {}

    def _blended(self, query: Query) -> Blend:
        begun = time.perf_counter()
        missing: list[Skip] = []
        own = {name: weight for name, weight in self._weights.of(query).items() if weight > 0}
        said = self._heard(self._candidate_generators, query, missing)
        pool = self._pool(query, said)
        generated = time.perf_counter()
        said |= self._heard([name for name in own if name not in self._candidate_generators], query, missing)
        weights = {name: weight for name, weight in own.items() if name in said}
        scaled = {name: self._scale(said[name], query.eligible) for name in weights}
        enough = bool(scaled) and len(scaled) >= min(self._min_members, len(own))
        scores = blend(list(scaled.values()), list(weights.values())) if enough else None
        if scores is not None and pool is not None:
            scores = np.where(pool, scores, np.float32(np.nan)) if pool.any() else None
        told = tuple(replace(one, code="partial") for one in missing if scores is None or not self._is_fine(one))
        laps = {"generate": 1000 * (generated - begun), "score": 1000 * (time.perf_counter() - generated)}
        return self._latest.keep(query, Blend(weights, scaled, scores, told, laps))

    def _is_fine(self, missing: Skip) -> bool:
        return missing.code == SILENT and missing.engine in self._optional_members

    def _heard(self, names: Iterable[str], query: Query, missing: list[Skip]) -> dict[str, Floats]:
        """What these members say, (n_items,) each; who could not, in whole or in part, is added to `missing`."""
        said: dict[str, Floats] = {}
        for name in names:
            given = self._ask(name, query)
            if isinstance(given, Skip):
                missing.append(given)
            else:
                said[name] = given
                missing += self._engines[name].partial(query)
        return said

    def _pool(self, query: Query, said: Mapping[str, Floats]) -> Bools | None:
        """(n_items,), True for candidates; None when every row is one."""
        if not self._candidate_generators:
            return None
        pool = np.zeros(len(query.catalogue), dtype=np.bool_)
        for name, own in said.items():
            pool[self._engines[name].proposed(own, query, self._candidate_generators[name])] = True
        return pool

    def _ask(self, name: str, query: Query) -> Floats | Skip:
        if name in self._without:
            return Skip(name, "partial", f"{name} is switched off{WITHOUT}{self.name} had to do without it")
        engine = self._engines.get(name)
        if engine is None:
            return Skip(name, "partial", f"{name} has no published model{WITHOUT}{self.name} had to do without it")
        given = take_turn(engine, query, partial(engine.scores, query))
        if isinstance(given, Skip):
            return given if given.code == SILENT else Skip(name, "partial", given.detail)
        if given is None or not (query.eligible & ~np.isnan(given)).any():
            inside = "; ".join(one.detail.partition(WITHOUT)[0] for one in engine.partial(query))
            why = f" ({inside})" if inside else ""
            return Skip(name, SILENT, f"{name} cannot say {query.for_whom}{why}{WITHOUT}{self.name} had to do without it")
        return given


def _as_scored(scores: Floats, eligible: Bools) -> Floats:
    return np.where(eligible, scores, np.float32(np.nan))


def _check_candidate_generators(name: str, candidate_generators: Mapping[str, int], allowed: Collection[str]) -> None:
    _check_known(name, "candidate_generators", candidate_generators, allowed)
    for member, count in candidate_generators.items():
        if count < 1:
            raise ConfigurationError(f"{name}: candidate_generators asks {member} for {count} candidates; 1 or more are needed")


def _check_known(name: str, option: str, named: Iterable[str], allowed: Collection[str]) -> None:
    strangers = sorted(set(named) - set(allowed))
    if strangers:
        raise ConfigurationError(f"{name}: {option} names '{strangers[0]}'; its members are {', '.join(sorted(allowed))}")
