"""What people get from a surface as it is routed, by the number of their interactions, beside simpler policies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import Ints
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.evaluation.metrics import LEAST_PEOPLE, Gain, gain_of, signed
from recommendation_service.training.text_tables import markdown_table

STEPS: Mapping[str, tuple[int, int | None]] = {
    "all": (0, None),
    "0": (0, 0),
    "1": (1, 1),
    "2": (2, 2),
    "3": (3, 3),
    "4": (4, 4),
    "5-9": (5, 9),
    "10-19": (10, 19),
    "20+": (20, None),
}


@dataclass(frozen=True, slots=True)
class Step:
    """The people with so many interactions: the mean NDCG of what is served to them and of the other policies."""

    segment: str
    people: int
    served: float
    others: Mapping[str, float]  # policy -> mean NDCG
    gains: Mapping[str, Gain]  # policy -> served minus that policy, for the same people


def cold_curve(served: Ints, others: Mapping[str, Ints], panel: EvaluationUsers) -> list[Step]:
    """Compare (p, k) lists as served with those of other policies, in every segment of STEPS with people."""
    counts = panel.material.histories.counts[panel.users]
    measured = metrics.measure(served, panel.relevant).ndcg
    compared = {name: metrics.measure(lists, panel.relevant).ndcg for name, lists in others.items()}
    steps = []
    for segment, (low, high) in STEPS.items():
        inside = np.flatnonzero((counts >= low) & (counts <= (np.inf if high is None else high)))
        if inside.size:
            means = {name: float(values[inside].mean()) for name, values in compared.items()}
            gains = {name: gain_of(measured[inside], values[inside]) for name, values in compared.items()}
            steps.append(Step(segment, int(inside.size), float(measured[inside].mean()), means, gains))
    return steps


def curve_table(steps: Sequence[Step], k: int) -> str:
    """Return a Markdown table: NDCG as served and of each policy, and served minus policy with its 95 % interval."""
    names = list(steps[0].others) if steps else []
    heads = ["interactions", "people", f"NDCG@{k} as served"]
    for name in names:
        heads += [name, "served minus it, 95 %"]
    lines = [heads]
    for step in steps:
        cells = [step.segment, f"{step.people:,}", f"{step.served:.4f}"]
        for name in names:
            gain = step.gains[name]
            cells += [f"{step.others[name]:.4f}", f"{signed(gain.mean)} ({signed(gain.low)} to {signed(gain.high)})"]
        lines.append(cells)
    return markdown_table(lines, right=range(1, len(heads)))


def below(steps: Sequence[Step], policy: str) -> Iterator[str]:
    """Say where the surface is below a policy, one line each; one line if it is below it nowhere.

    A segment with fewer than LEAST_PEOPLE people is named, but not counted as a loss.
    """
    known = [step for step in steps if policy in step.gains]
    lost = [step for step in known if step.gains[policy].surely_worse and step.people >= LEAST_PEOPLE]
    few = [step.segment for step in known if step.people < LEAST_PEOPLE]
    for step in lost:
        yield f"as served is below {policy} for people with {step.segment} interactions: {step.gains[policy].summary()}"
    if known and not lost:
        yield f"as served is surely below {policy} in no segment with {LEAST_PEOPLE} people or more"
    if few:
        yield f"too few people to compare with {policy}: {', '.join(few)} interactions"
