"""Cleaners for a job, of 10,000: what rules take, and rules with a network, beside the stated 10 and 25 ms.

A marketplace from the seed in SQLite, a network of its past, one worker of the service. BENCH_LISTS_CLEANERS and
BENCH_LISTS_JOBS say of how many cleaners and for how many jobs.
"""

import json
import os
import sys
from pathlib import Path

from benchmarks.performance.proxy_overhead import MANAGE, ran, surroundings
from benchmarks.performance.requests import command
from benchmarks.performance.serving import free_port, served

CLEANERS = os.environ.get("BENCH_LISTS_CLEANERS", "10000")
JOBS = os.environ.get("BENCH_LISTS_JOBS", "100")
STATED_MS = {"rule_based": 10, "ensemble": 25}
WORDS = {"rule_based": "rules", "ensemble": "rules and network"}
FILL = (
    [*MANAGE, "migrate", "--noinput", "-v", "0"],
    [*MANAGE, "generate_training_data", "--jobs", "2000", "--cleaners", CLEANERS, "--clients", "300"],
    [*MANAGE, "generate_all_datasets", "--catalogue", "cleaning"],
    [sys.executable, "-m", "recommendation_service.train_neural", "--use-case", "cleaning", "--epochs", "1"],
)

# Runs inside the backend, in a process of its own: this package must not import Django. Every list is written down as
# shown, which is part of its price. Least of three rounds for many at once, the middle one of twenty for one alone.
INSIDE = """
import json, sys, time
from datetime import timedelta
from statistics import median
import django
django.setup()
from django.conf import settings
from django.utils import timezone
from recommendations.services.recommendation_engine import RecommendationEngine
from sites.cleaning.candidates import Filters, cleaners_for
from sites.cleaning.models import Cleaner, CleanerScore, CleaningJob

wanted, now = int(sys.argv[1]), timezone.now()
olds = list(CleaningJob.objects.select_related("place").order_by("-pk")[:wanted])
jobs = CleaningJob.objects.bulk_create(
    CleaningJob(client_id=old.client_id, place=old.place, hours=old.hours, budget=old.budget, eco_friendly=old.eco_friendly,
                posted_at=now, wanted_for=now + timedelta(days=3))
    for old in olds)
Cleaner.objects.update(is_available=True, reach_km=60)  # every one of them is a candidate
CleanerScore.objects.update(is_active=True)
assert (len(jobs), cleaners_for(Filters()).count()) == (wanted, int(sys.argv[2]))

def timed(act):
    begun = time.perf_counter()
    found = act()
    return (time.perf_counter() - begun) * 1e3, found

told = {}
for mode in ("rule_based", "ensemble"):
    engine = RecommendationEngine(mode=mode)
    rounds = []
    for _ in range(3):
        took, lists = timed(lambda: engine.recommend_cleaners_for_jobs(jobs, limit=10))
        assert all(one.mode == mode and len(one) == 10 for one in lists), (mode, lists[0].degradation)
        rounds.append(took / len(jobs))
    told[f"many {mode}"] = min(rounds)
    # "kept" first: it also keeps the market's averages, which a site works out once an hour and not once a list
    for kept, seconds, job in (("kept", 3600, jobs[0]), ("alone", 0, jobs[1])):
        settings.RECOMMENDATION_CACHE_TTL = seconds
        engine.recommend_cleaners_for_job(job)
        alone = [timed(lambda: engine.recommend_cleaners_for_job(job)) for _ in range(20)]
        assert all(one.mode == mode for _, one in alone), mode
        told[f"{kept} {mode}"] = median(took for took, _ in alone)
print(json.dumps(told))
"""


def measure(root: Path) -> list[tuple[str, str]]:
    """Milliseconds a list, with the stated ones beside them."""
    port = free_port()
    environment = {**surroundings(root, port), "RS_USE_CASES": "cleaning"}
    for words in FILL:
        ran(words, environment)
    with served(command(), port=port, environment=environment, log=root / "service.log"):
        told = json.loads(ran([sys.executable, "-c", INSIDE, JOBS, CLEANERS], environment).splitlines()[-1])
    rows = []
    for mode, stated in STATED_MS.items():
        rows += [
            (f"{WORDS[mode]}, {JOBS} jobs at once", f"{told[f'many {mode}']:.1f} ms a job (stated: about {stated})"),
            (
                f"{WORDS[mode]}, one job alone",
                f"{told[f'alone {mode}']:.1f} ms; kept from before {told[f'kept {mode}']:.1f} ms",
            ),
        ]
    return rows
