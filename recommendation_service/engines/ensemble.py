"""The ensemble: the weighted average of its members' scores, which are scaled to one range for each user."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, ClassVar, Literal

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints, blend, top_rows, unit_range
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Reason, Retrieved
from recommendation_service.engines.alignment import array
from recommendation_service.engines.base import Engine, Scored, call_safely, score_all
from recommendation_service.errors import ArtifactRefused, ConfigurationError
from recommendation_service.publishing.store import Artifact

MIN_MEMBERS = 2
MAX_REASONS = 3
NO_PREDICTION = "no_prediction"
Scale = Literal["unit", "as_scored"]
WITHOUT = ", so "  # between the reason why a member is missing and its effect
SEGMENT_ARRAYS = ("segment_weights", "segment_bounds")  # optional: without them, the same weights for every user


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of every member, >= 0 and summing to 1: common ones, and optionally those of each user segment."""

    common: Mapping[str, float]
    bounds: tuple[int, ...] = ()  # the first interaction count of each segment, ascending from 0
    segments: tuple[Mapping[str, float], ...] = ()  # one per bound

    def of(self, query: Query) -> Mapping[str, float]:
        """Return the weights of the user's segment, by counted interactions.

        A request about items uses the common weights, because segments were measured on requests about users.
        """
        if not self.segments or query.subject.size:
            return self.common
        return self.segments[int(np.searchsorted(self.bounds, query.history.count, side="right")) - 1]

    def members(self) -> set[str]:
        """Return the members with a weight above 0 in at least one segment."""
        return {name for weights in (self.common, *self.segments) for name, weight in weights.items() if weight > 0}

    @classmethod
    def configured(cls, name: str, members: Mapping[str, float]) -> "Weights":
        """Return the weights of the file, scaled to sum to 1. Raises ConfigurationError without one above 0."""
        if not members or min(members.values()) < 0 or sum(members.values()) <= 0:
            raise ConfigurationError(f"{name}: members need weights of 0 or more, at least one above 0, not {dict(members)}")
        total = sum(members.values())
        return cls({member: weight / total for member, weight in members.items()})

    @classmethod
    def learned(cls, artifact: Artifact, allowed: set[str]) -> "Weights":
        """Return the weights of a model of kind "ensemble". Raises ArtifactRefused for unknown members and wrong numbers."""
        names = [name.decode() for name in array(artifact, "members", (None,), kinds="S").tolist()]
        weights = array(artifact, "weights", (len(names),))
        if set(names) - allowed or len(set(names)) != len(names):
            raise ArtifactRefused(
                f"{artifact.version}: weighs {', '.join(names)}; this ensemble may use {', '.join(sorted(allowed))}"
            )
        common = _shares(artifact, names, weights)
        if not any(name in artifact.arrays for name in SEGMENT_ARRAYS):
            return cls(common)
        bounds = array(artifact, "segment_bounds", (None,), kinds="iu")
        rows = array(artifact, "segment_weights", (bounds.size, len(names)))
        if not bounds.size or bounds[0] != 0 or (np.diff(bounds.astype(np.int64)) <= 0).any():
            raise ArtifactRefused(f"{artifact.version}: segment_bounds {bounds.tolist()} must ascend from 0; train it again")
        return cls(common, tuple(bounds.tolist()), tuple(_shares(artifact, names, row) for row in rows))


def _shares(artifact: Artifact, names: Sequence[str], weights: AnyArray) -> dict[str, float]:
    """Return the weights by member, scaled to sum to 1."""
    if not weights.size or not np.isfinite(weights).all() or weights.min() < 0 or weights.sum() <= 0:
        raise ArtifactRefused(f"{artifact.version}: weights {weights.tolist()} cannot blend; train it again")
    return {name: float(weight / weights.sum()) for name, weight in zip(names, weights, strict=True)}


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """The blended scores of one query, with the scores of each member."""

    weights: Mapping[str, float]  # of the members that answered
    scaled: Mapping[str, Floats]  # (n_items,) in [0, 1] or as scored, NaN: no prediction or not eligible
    scores: Floats | None  # (n_items,) None: too few members answered
    skips: tuple[Skip, ...]
    timings: Mapping[str, float]  # stage -> ms
    basis: Mapping[str, Any]  # of each member that answered

    def shares(self, rows: Ints) -> dict[str, Floats]:
        """Return member -> (k,), what it adds to the scores of these rows, NaN: no prediction; the sum is the score."""
        by_member = {name: scaled[rows] for name, scaled in self.scaled.items()}
        total = np.zeros(rows.size, dtype=np.float32)
        for name, scores in by_member.items():
            total += np.float32(self.weights[name]) * ~np.isnan(scores)
        total = np.maximum(total, 1e-12)
        return {
            name: (np.float32(self.weights[name]) * scores / total).astype(np.float32) for name, scores in by_member.items()
        }


class Ensemble(Engine):
    """Weighted average of its members' scores, after a min-max scaling over the eligible rows of this user.

    A member without a prediction for a row leaves its weight to the others. At least `min_members` members (or all that
    have a weight) must answer. Missing members are reported as skips. A member may be an ensemble. With
    `candidate_generators`, the best rows of those members together are the candidates, and all members score them; the
    score of a row does not depend on the member that proposed it.
    """

    label: ClassVar[str] = "ensemble"
    min_score: ClassVar[float] = 0.0  # as a member it does not propose rows that all its members rank last
    reads_offers: ClassVar[bool] = True  # it has no rows of its own, and each member is checked when it is called

    def __init__(
        self,
        name: str,
        version: str,
        engines: Mapping[str, Engine],
        weights: Mapping[str, float] | Weights,
        without: Collection[str] = (),
        *,
        candidate_generators: Mapping[str, int] | None = None,
        min_members: int = MIN_MEMBERS,
        optional_members: Collection[str] = (),
        scale: Scale = "unit",
        skip: Skip | None = None,
        learned: bool = False,
    ) -> None:
        """`weights` names every member, also those that `engines` lacks; they are >= 0 and sum to 1.

        Members in `without` are switched off. Without `candidate_generators`, every row is a candidate. A missing
        prediction of `optional_members` is not reported if enough others answer. `skip` is reported with every answer;
        `learned` is True if the weights are from an artifact.
        """
        super().__init__(name, version)
        self.learned = learned
        self._skips = () if skip is None else (skip,)
        self._without = frozenset(without)
        self._weights = weights if isinstance(weights, Weights) else Weights(dict(weights))
        self._engines = dict(engines)
        self._candidate_generators = dict(candidate_generators or {})
        self._min_members = min_members
        self._optional_members = frozenset(optional_members)
        self._scale = unit_range if scale == "unit" else _as_scored

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
        min_members: int = MIN_MEMBERS,
        optional_members: Sequence[str] = (),
        scale: Scale = "unit",
    ) -> "Ensemble":
        """Return an ensemble of `engines`, by name; `members` are the configured weights, scaled here to sum to 1.

        With weights="learned" they come from an artifact of kind "ensemble", which may also weigh `learnable_members`,
        and differently by user segment. Without it the configured weights are used; a Skip in its place says why it
        cannot be used, and is reported with every answer. `without` names members that are switched off: they keep
        their weight and are reported as missing. `candidate_generators` says how many candidates some members propose,
        `min_members` how many must answer, and `optional_members` which may have no prediction. With scale="as_scored"
        the scores of all members are on one scale, such as 0 to 100, and so is the blend. Raises ConfigurationError for
        wrong weights and unknown members, ArtifactRefused for an artifact of other members.
        """
        allowed = {*members, *learnable_members}
        generators = candidate_generators or {}
        _check_members(name, "candidate_generators", generators, allowed)
        _check_members(name, "optional_members", optional_members, allowed)
        for member, count in generators.items():
            if count < 1:
                raise ConfigurationError(
                    f"{name}: candidate_generators asks {member} for {count} candidates; 1 or more are needed"
                )
        source = artifact if weights == "learned" else None
        learned = isinstance(source, Artifact)
        used = Weights.learned(source, allowed) if isinstance(source, Artifact) else Weights.configured(name, members)
        wanted = (used.members() | set(generators)) - set(without)
        present = {member: engines[member] for member in used.common if member in wanted and member in engines}
        versions = [source.version] if isinstance(source, Artifact) else []
        versions += [version for engine in present.values() for version in engine.version.split("+")]
        return cls(
            name,
            "+".join(dict.fromkeys(versions)),
            present,
            used,
            without,
            candidate_generators=generators,
            min_members=min_members,
            optional_members=optional_members,
            scale=scale,
            skip=source if isinstance(source, Skip) else None,
            learned=learned,
        )

    @property
    def weights(self) -> Mapping[str, float]:
        """The common weights, of users without a segment of their own."""
        return self._weights.common

    @property
    def has_enough_members(self) -> bool:
        """True if at least `min_members` weighted members are loaded."""
        weighted = [name for name, weight in self.weights.items() if weight > 0]
        return sum(name in self._engines for name in weighted) >= min(self._min_members, len(weighted))

    def scores(self, query: Query) -> Floats | None:
        """Return the blend over the eligible candidates and NaN elsewhere; None if too few members answer.

        From 0 to 1, or on the members' scale with scale="as_scored".
        """
        return self._blend(query).scores

    def scored(self, query: Query) -> Scored:
        """Return the blend, the members that were missing from it, and the basis of each member by name."""
        blended = self._blend(query)
        return Scored(blended.scores, blended.skips, blended.basis)

    def retrieve(self, query: Query, limit: int) -> Retrieved | None:
        """Return the best rows with each member's share of their score, missing members, and the time of each stage."""
        blended = self._blend(query)
        timings = blended.timings if self._candidate_generators else {}
        if blended.scores is None:
            return Retrieved(Candidates.none(), blended.skips, timings)
        rows = top_rows(blended.scores, limit, query.eligible)
        return Retrieved(Candidates(rows, blended.scores[rows], blended.shares(rows)), blended.skips, timings, blended.basis)

    def explain(
        self, query: Query, rows: Ints, parts: Mapping[str, Floats] | None = None, basis: Any = None
    ) -> list[tuple[Reason, ...]]:
        """Return the members' reasons for each row, each text once, at most three.

        Personal reasons come first, then those of the member with the larger share, or weight where `parts` lacks it.
        """
        weights = {name: weight for name, weight in self._weights.of(query).items() if weight > 0 and name in self._engines}
        shares = {name: parts[name] for name in weights if name in parts} if parts else {}
        if not shares:
            shares = {name: np.full(rows.size, weight, dtype=np.float32) for name, weight in weights.items()}
        members = list(shares)
        known = np.nan_to_num(np.array([shares[name] for name in members]).reshape(len(members), rows.size))
        largest_first = np.argsort(-known, axis=0, kind="stable").T.tolist()  # for each row, indices of `members`
        bases: Mapping[str, Any] = basis or {}

        @cache  # a member whose reasons are not needed is not called
        def reasons_of(name: str) -> list[tuple[Reason, ...]]:
            engine = self._engines[name]
            explained = call_safely(engine, query, partial(engine.explain, query, rows, basis=bases.get(name)))
            return [()] * rows.size if isinstance(explained, Skip) else explained

        return [
            _best_reasons(reasons_of(members[member])[index] for member in order) for index, order in enumerate(largest_first)
        ]

    def _blend(self, query: Query) -> Blend:
        started = time.perf_counter()
        missing: list[Skip] = []
        wanted = {name: weight for name, weight in self._weights.of(query).items() if weight > 0}
        by_member = self._scores_of(self._candidate_generators, query, missing)
        pool = self._pool(query, by_member)
        generated = time.perf_counter()
        by_member |= self._scores_of([name for name in wanted if name not in self._candidate_generators], query, missing)
        weights = {name: weight for name, weight in wanted.items() if name in by_member}
        scaled = {name: self._scale(_known(by_member[name]), query.eligible) for name in weights}
        enough = bool(scaled) and len(scaled) >= min(self._min_members, len(wanted))
        scores = blend(list(scaled.values()), list(weights.values())) if enough else None
        if scores is not None and pool is not None:
            scores = np.where(pool, scores, np.float32(np.nan)) if pool.any() else None
        reported = [skip for skip in missing if scores is None or not self._is_expected(skip)]
        skips = (*self._skips, *(skip.model_copy(update={"code": "partial"}) for skip in reported))
        timings = {"generate": 1000 * (generated - started), "score": 1000 * (time.perf_counter() - generated)}
        return Blend(weights, scaled, scores, skips, timings, {name: scored.basis for name, scored in by_member.items()})

    def _is_expected(self, skip: Skip) -> bool:
        return skip.code == NO_PREDICTION and skip.engine in self._optional_members

    def _scores_of(self, names: Iterable[str], query: Query, missing: list[Skip]) -> dict[str, Scored]:
        """Return the scores of the members that have a prediction; skips of all these members are added to `missing`."""
        wanted = list(names)
        loaded = {name: self._engines[name] for name in wanted if name in self._engines and name not in self._without}
        results, by_member = score_all(loaded, query), dict[str, Scored]()
        for name in wanted:
            scored = self._checked(name, results.get(name), query)
            if isinstance(scored, Skip):
                missing.append(scored)
            else:
                by_member[name] = scored
                missing += scored.skips
        return by_member

    def _pool(self, query: Query, by_member: Mapping[str, Scored]) -> Bools | None:
        """Return (n_items,), True for candidates; None if every row is one."""
        if not self._candidate_generators:
            return None
        pool = np.zeros(len(query.catalogue), dtype=np.bool_)
        for name, scored in by_member.items():
            pool[self._engines[name].best_rows(_known(scored), query, self._candidate_generators[name])] = True
        return pool

    def _checked(self, name: str, scored: Scored | Skip | None, query: Query) -> Scored | Skip:
        """Return the scores of a member, at least one of them for an eligible row, or why there are none."""
        if scored is None:
            why = "is switched off" if name in self._without else "has no published model"
            return Skip(engine=name, code="partial", detail=f"{name} {why}{WITHOUT}{self.name} had to do without it")
        if isinstance(scored, Skip):
            return scored if scored.code == NO_PREDICTION else scored.model_copy(update={"code": "partial"})
        if scored.scores is None or not (query.eligible & ~np.isnan(scored.scores)).any():
            inner = "; ".join(skip.detail.partition(WITHOUT)[0] for skip in scored.skips)
            why = f" ({inner})" if inner else ""
            detail = f"{name} has no prediction {query.for_whom}{why}{WITHOUT}{self.name} had to do without it"
            return Skip(engine=name, code=NO_PREDICTION, detail=detail)
        return scored


def _known(scored: Scored) -> Floats:
    """Return the scores of a member with a prediction."""
    if scored.scores is None:
        raise ValueError("a member without scores has been skipped before")
    return scored.scores


def _best_reasons(by_member: Iterable[tuple[Reason, ...]]) -> tuple[Reason, ...]:
    """Return at most three different reasons, personal ones first; later members are not read if they cannot add one."""
    by_text: dict[str, Reason] = {}
    for reasons in by_member:
        for reason in reasons:
            by_text.setdefault(reason.text, reason)
        if sum(reason.personal for reason in by_text.values()) >= MAX_REASONS:
            break
    return tuple(sorted(by_text.values(), key=lambda reason: not reason.personal))[:MAX_REASONS]


def _as_scored(scores: Floats, eligible: Bools) -> Floats:
    return np.where(eligible, scores, np.float32(np.nan))


def _check_members(name: str, option: str, named: Iterable[str], allowed: Collection[str]) -> None:
    unknown = sorted(set(named) - set(allowed))
    if unknown:
        raise ConfigurationError(f"{name}: {option} names '{unknown[0]}'; its members are {', '.join(sorted(allowed))}")
