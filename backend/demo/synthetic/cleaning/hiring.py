"""The choice of clients among the bids for a job."""

import numpy as np

from demo.synthetic.cleaning.bids import Bids
from demo.synthetic.cleaning.constants import BUDGETS, EARLY_H
from demo.synthetic.cleaning.jobs import Jobs
from demo.synthetic.cleaning.people import Cleaners, Clients
from demo.synthetic.simulation import Floats, Ints, Rng

EARLY_BONUS = 0.10  # for bids within EARLY_H
TIMING_BONUS = 0.06  # for an immediate bid, falling for later ones
CHANCE = 0.10  # standard deviation of the noise
FAVOURITE_MARKS, RAPPORT_MARKS = 0.5, 0.3  # how much better somebody cleans what they like best, and for whom they get on with
_TIMING_H = 72.0


def cleans(jobs: Jobs, cleaners: Cleaners, clients: Clients, job: Ints, cleaner: Ints) -> Floats:
    """Return how well each cleaner does this job for its client, on the scale of the marks; a hidden value."""
    likes = jobs.kind[job] == cleaners.favourite[cleaner]
    rapport = np.einsum("ij,ij->i", clients.style[jobs.client[job]], cleaners.style[cleaner]) / np.sqrt(cleaners.style.shape[1])
    return np.asarray(cleaners.skill[cleaner] + FAVOURITE_MARKS * likes + RAPPORT_MARKS * np.clip(rapport, -2.0, 2.0))


def choose(rng: Rng, jobs: Jobs, bids: Bids, cleaners: Cleaners, clients: Clients) -> Ints:
    """Return (jobs,) the winning bids: price and quality by the client's budget, bonuses for early bids, and noise."""
    weights = np.array([(rules.price, rules.quality) for rules in BUDGETS.values()])[clients.budget[jobs.client[bids.job]]]
    cheapest = np.minimum.reduceat(bids.cents, bids.start[:-1])[bids.job]
    quality = (cleans(jobs, cleaners, clients, bids.job, bids.cleaner) - 5.0) / 5.0
    appeal = weights[:, 0] * cheapest / bids.cents + weights[:, 1] * quality
    appeal += EARLY_BONUS * (bids.delay_h <= EARLY_H) + TIMING_BONUS * np.maximum(1.0 - bids.delay_h / _TIMING_H, 0.0)
    appeal += rng.normal(0.0, CHANCE, size=appeal.size)
    return np.lexsort((-appeal, bids.job))[bids.start[:-1]]
