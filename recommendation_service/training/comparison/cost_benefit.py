"""Whether a method earns its cost: its lists against those of the best cheaper one, for the people it answers for.

Where a method has less than a full list, popular items fill it, as they do when it serves; so a method is not praised
for answering where popular items answer as well. The cheaper one is chosen on validation, and both are compared on the
test part, on which nothing was chosen. The same order on validation is asked for too: with a few methods on every site,
one interval in forty that is above 0 by chance would be believed too often.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Ints
from recommendation_service.training.evaluation.answers import Answers, filled
from recommendation_service.training.evaluation.answers import list_ndcg as worth_of
from recommendation_service.training.evaluation.evaluator import SEGMENTS, Panel
from recommendation_service.training.evaluation.paired_bootstrap import LEAST_PEOPLE, SHARE, Gain, gain_of

NEWCOMERS = "0-4"
NOBODY = Gain(0.0, 0.0, 0.0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """All engines on one part: `lists` as they are, `figures` (p,) NDCG of the same lists filled up by popular items."""

    panel: Panel
    answers: Mapping[str, Answers]
    figures: Mapping[str, AnyArray]

    @classmethod
    def of(cls, panel: Panel, answers: Mapping[str, Answers], popular: str | None) -> "Heard":
        """`popular` is the engine that fills lists; None: nobody does."""
        more = None if popular is None else answers[popular].lists
        lists = {name: one.lists if more is None else filled(one.lists, more) for name, one in answers.items()}
        return cls(panel, answers, {name: worth_of(own, panel.relevant) for name, own in lists.items()})

    @property
    def counts(self) -> Ints:
        """(p,) what routing counts of each person."""
        return np.asarray(self.panel.material.pasts.counts[self.panel.users])

    def inside(self, segment: str) -> Bools:
        """(p,), True for the people of a segment."""
        low, high = SEGMENTS[segment]
        return np.asarray((self.counts >= low) & (self.counts <= (np.inf if high is None else high)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """One method against the best cheaper one."""

    method: str
    rival: str
    gain: Gain  # on the test part, among the people the method answers for
    agreed: bool = True  # it was better on validation too, so that chance would have to come twice
    better_for: Mapping[str, Gain] = field(default_factory=dict)  # segments in which it is better beyond chance
    newcomers: float = 0.0  # share of people with fewer than 5 interactions whom it answers for
    rivals_newcomers: float = 0.0
    alone: Gain = NOBODY  # among the newcomers whom the cheaper one does not answer for, over popular items
    member_of: tuple[str, ...] = ()  # ensembles that weigh it and earn their cost
    also_for: tuple[str, ...] = ()  # surfaces that are about something else than a person, and begin with it
    first_on: tuple[str, ...] = ()  # surfaces for a person on which it may go first

    @property
    def enough(self) -> bool:
        """Whether there are people enough to say anything."""
        return self.gain.people >= LEAST_PEOPLE

    @property
    def recommended(self) -> bool:
        """Only what beats the cheaper one beyond chance is recommended to go first."""
        return self.enough and self.gain.sure and self.agreed

    def summary(self) -> str:
        """One line in plain words."""
        if not self.gain.people:
            return f"{self.method}: it answers for nobody of the test part, so there is nothing to recommend it for"
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
        kept = [f"people with {segment} interactions ({gain.summary()})" for segment, gain in self.better_for.items()]
        few = 0 < self.alone.people < LEAST_PEOPLE
        if (self.alone.mean > 0 or few) and NEWCOMERS not in self.better_for:
            answered = f"it answers for {self.newcomers:.0%} of them, {self.rival} for {self.rivals_newcomers:.0%}"
            told = f"{self.alone.people} are too few to tell" if few else f"there {self.alone.summary()}"
            kept.append(f"newcomers ({answered}; {told})")
        except_for = f", {'and' if needed else 'or keep it'} for {' and for '.join(kept)}" if kept else ""
        return ", and ".join(steps) + except_for


def judge(method: str, cheaper: Mapping[str, tuple[int, int]], valid: Heard, test: Heard) -> Verdict | None:
    """What a method is worth beside the `cheaper` ones, name -> place in the order; None when there are none."""
    rivals = [name for name in cheaper if name in valid.figures and name in test.figures]
    if not rivals:
        return None
    known = valid.answers[method].answered
    rival = max(rivals, key=lambda name: (_mean(valid.figures[name][known]), tuple(-part for part in cheaper[name])))
    own = test.answers[method].answered
    return Verdict(
        method,
        rival,
        gain_of(test.figures[method][own], test.figures[rival][own]),
        _mean(valid.figures[method][known]) > _mean(valid.figures[rival][known]),
        _better_for(method, rival, test, own),
        *_newcomers(method, rival, test),
    )


def _better_for(method: str, rival: str, test: Heard, own: Bools) -> dict[str, Gain]:
    """Segments in which it is better; intervals are as much wider as there are segments to be lucky in."""
    segments = [name for name in SEGMENTS if name != "all"]
    found = {}
    for segment in segments:
        inside = own & test.inside(segment)
        gain = gain_of(test.figures[method][inside], test.figures[rival][inside], share=1 - (1 - SHARE) / len(segments))
        if gain.sure and gain.people >= LEAST_PEOPLE:
            found[segment] = gain
    return found


def _newcomers(method: str, rival: str, test: Heard) -> tuple[float, float, Gain]:
    new = test.inside(NEWCOMERS)
    own, others = test.answers[method].share(new), test.answers[rival].share(new)
    alone = new & test.answers[method].answered & ~test.answers[rival].answered
    return own, others, gain_of(test.figures[method][alone], test.figures[rival][alone])


def _mean(figures: AnyArray) -> float:
    return float(figures.mean()) if figures.size else 0.0
