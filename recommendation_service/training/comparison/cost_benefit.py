"""Whether a method is worth its cost: its lists against those of the best cheaper method, for the users it answers.

Popular items fill incomplete lists, as they do in service, so a method gets no credit for what popular items achieve as
well. The cheaper method is chosen on validation, and both are compared on the test part, on which nothing was chosen. The
method must also be better on validation: with several methods per site, an interval above 0 by chance is not rare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Ints
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import SEGMENTS, Answers, EvaluationUsers, filled
from recommendation_service.training.evaluation.metrics import LEAST_PEOPLE, SHARE, Gain, gain_of

NEWCOMERS = "0-4"
NOBODY = Gain(0.0, 0.0, 0.0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class EngineAnswers:
    """All engines on one part: their answers, and `figures` (p,), the NDCG of their lists filled up with popular items."""

    panel: EvaluationUsers
    answers: Mapping[str, Answers]
    figures: Mapping[str, AnyArray]

    @classmethod
    def of(cls, panel: EvaluationUsers, answers: Mapping[str, Answers], popular: str | None) -> "EngineAnswers":
        """`popular` names the engine that fills lists; None: lists stay incomplete."""
        more = None if popular is None else answers[popular].lists
        lists = {name: entry.lists if more is None else filled(entry.lists, more) for name, entry in answers.items()}
        return cls(panel, answers, {name: metrics.measure(rows, panel.relevant).ndcg for name, rows in lists.items()})

    @property
    def counts(self) -> Ints:
        """(p,) the number of interactions that routing counts for each user."""
        return np.asarray(self.panel.material.histories.counts[self.panel.users])

    def inside(self, segment: str) -> Bools:
        """(p,), True for the users of a segment."""
        low, high = SEGMENTS[segment]
        return np.asarray((self.counts >= low) & (self.counts <= (np.inf if high is None else high)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The comparison of one method with the best cheaper one."""

    method: str
    rival: str
    gain: Gain  # on the test part, among the users the method answers
    agreed: bool = True  # it was better on validation, too
    better_for: Mapping[str, Gain] = field(default_factory=dict)  # segments in which it is significantly better
    newcomers: float = 0.0  # share of users with fewer than 5 interactions that it answers
    rivals_newcomers: float = 0.0
    alone: Gain = NOBODY  # over popular items, among newcomers that the cheaper method does not answer
    member_of: tuple[str, ...] = ()  # ensembles that give it a weight and are worth their cost
    also_for: tuple[str, ...] = ()  # surfaces about an item, basket or context that start with it
    first_on: tuple[str, ...] = ()  # surfaces for a user on which it may answer first

    @property
    def enough(self) -> bool:
        """True if there are enough users for a comparison."""
        return self.gain.people >= LEAST_PEOPLE

    @property
    def recommended(self) -> bool:
        """True if it is significantly better than the cheaper method, on validation and on the test part."""
        return self.enough and self.gain.sure and self.agreed

    def summary(self) -> str:
        """The verdict as one line of text."""
        if not self.gain.people:
            return f"{self.method}: it answers for no user of the test part, so there is nothing to recommend it for"
        if not self.enough:
            few = f"it answers for {self.gain.people} people of the test part"
            return f"{self.method}: {few}, too few to recommend it over {self.rival}"
        numbers = f"({self.gain.summary()})"
        if self.recommended:
            return f"{self.method} beats {self.rival}, the best cheaper one {numbers}: worth its cost"
        lost = "is worse than" if self.gain.surely_worse else "does not beat"
        but = ", and not on validation" if self.gain.sure else ""
        return f"{self.method} {lost} {self.rival} here {numbers}{but}: {self._instead()}"

    def _instead(self) -> str:
        needed = [f"as a member of {', '.join(self.member_of)}"] if self.member_of else []
        needed += [f"for {', '.join(self.also_for)}, where lists are not about a person"] if self.also_for else []
        steps = [f"let {self.rival} go first instead on {', '.join(self.first_on)}"] if self.first_on else []
        steps.append(f"keep it {' and '.join(needed)}" if needed else "switch it off")
        exceptions = [f"people with {segment} interactions ({gain.summary()})" for segment, gain in self.better_for.items()]
        few = 0 < self.alone.people < LEAST_PEOPLE
        if (self.alone.mean > 0 or few) and NEWCOMERS not in self.better_for:
            answered = f"it answers for {self.newcomers:.0%} of them, {self.rival} for {self.rivals_newcomers:.0%}"
            comparison = f"{self.alone.people} are too few to tell" if few else f"there {self.alone.summary()}"
            exceptions.append(f"newcomers ({answered}; {comparison})")
        except_for = f", {'and' if needed else 'or keep it'} for {' and for '.join(exceptions)}" if exceptions else ""
        return ", and ".join(steps) + except_for


def judge(method: str, cheaper: Mapping[str, tuple[int, int]], valid: EngineAnswers, test: EngineAnswers) -> Verdict | None:
    """Compare a method with the `cheaper` ones (name -> position in the cost order); None if there are none."""
    rivals = [name for name in cheaper if name in valid.figures and name in test.figures]
    if not rivals:
        return None
    known = valid.answers[method].answered
    rival = max(rivals, key=lambda name: (_mean(valid.figures[name][known]), tuple(-part for part in cheaper[name])))
    answered = test.answers[method].answered
    return Verdict(
        method,
        rival,
        gain_of(test.figures[method][answered], test.figures[rival][answered]),
        _mean(valid.figures[method][known]) > _mean(valid.figures[rival][known]),
        _better_for(method, rival, test, answered),
        *_newcomers(method, rival, test),
    )


def _better_for(method: str, rival: str, test: EngineAnswers, answered: Bools) -> dict[str, Gain]:
    """Segments in which it is better; the intervals are widened for the number of segments (Bonferroni)."""
    segments = [name for name in SEGMENTS if name != "all"]
    better_segments = {}
    for segment in segments:
        inside = answered & test.inside(segment)
        gain = gain_of(test.figures[method][inside], test.figures[rival][inside], share=1 - (1 - SHARE) / len(segments))
        if gain.sure and gain.people >= LEAST_PEOPLE:
            better_segments[segment] = gain
    return better_segments


def _newcomers(method: str, rival: str, test: EngineAnswers) -> tuple[float, float, Gain]:
    new = test.inside(NEWCOMERS)
    answered, others = test.answers[method].share(new), test.answers[rival].share(new)
    alone = new & test.answers[method].answered & ~test.answers[rival].answered
    return answered, others, gain_of(test.figures[method][alone], test.figures[rival][alone])


def _mean(figures: AnyArray) -> float:
    return float(figures.mean()) if figures.size else 0.0
