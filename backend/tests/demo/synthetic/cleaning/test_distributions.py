"""The printed figures of balance."""

import re

import numpy as np

from demo.synthetic.cleaning.distributions import summary_lines
from demo.synthetic.cleaning.market import Market


def test_every_share_that_must_be_balanced_is_told(market: Market) -> None:
    titles = [line.partition(":")[0] for line in summary_lines(market)]
    assert titles[:6] == [
        "jobs by property type", "jobs by district", "cleaners by tier", "hired by tier", "clients by budget", "jobs by status",
    ]  # fmt: skip


def test_shares_add_up_to_everything(market: Market) -> None:
    for line in summary_lines(market):
        if line.partition(":")[0] in ("jobs by property type", "cleaners by tier", "hired by tier", "jobs by status"):
            shares = [float(one) for one in re.findall(r"([\d.]+)%", line)]
            assert abs(sum(shares) - 100) < 0.5, line


def test_the_figures_are_those_of_the_columns(market: Market) -> None:
    lines = list(summary_lines(market))
    apartments = np.mean(market.jobs.kind == 0)
    assert f"apartment {apartments:.1%}" in lines[0]
    assert "premium 15.0%, experienced 30.0%, average 40.0%, budget 15.0%" in lines[2]
    assert f"{500 - np.unique(market.jobs.client).size} clients without a job" in lines[-1]


def test_districts_are_told_with_the_largest_and_how_mixed_they_are(market: Market) -> None:
    line = next(line for line in summary_lines(market) if line.startswith("jobs by district"))
    found, all_of_them, mixed = (int(one) for one in re.findall(r"(\d+) of (\d+), as mixed as (\d+)", line)[0])
    assert 30 <= mixed <= found <= all_of_them
