"""Cleaners for a job, of 10,000: the time of rules, and of rules with a network, compared with the required 10 and 25 ms.

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
    [sys.executable, "-m", "recommendation_service.cli", "train", "neural", "--use-case", "cleaning", "--epochs", "1"],
)

# Runs in a process of the backend, because this package must not import Django. Every list is recorded as shown, which is
# part of its cost. Minimum of three rounds for many jobs at once, median of twenty for one job.
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
Cleaner.objects.update(is_available=True, reach_km=60)  # all of them are candidates
CleanerScore.objects.update(is_active=True)
assert (len(jobs), cleaners_for(Filters()).count()) == (wanted, int(sys.argv[2]))

def timed(act):
    begun = time.perf_counter()
    result = act()
    return (time.perf_counter() - begun) * 1e3, result

figures = {}
for mode in ("rule_based", "ensemble"):
    engine = RecommendationEngine(mode=mode)
    rounds = []
    for _ in range(3):
        took, lists = timed(lambda: engine.recommend_cleaners_for_jobs(jobs, limit=10))
        assert all(result.mode == mode and len(result) == 10 for result in lists), (mode, lists[0].degradation)
        rounds.append(took / len(jobs))
    figures[f"many {mode}"] = min(rounds)
    # "cached" first: it also caches the averages of the market, which a site computes once an hour and not once per list
    for cache, seconds, job in (("cached", 3600, jobs[0]), ("alone", 0, jobs[1])):
        settings.RECOMMENDATION_CACHE_TTL = seconds
        engine.recommend_cleaners_for_job(job)
        alone = [timed(lambda: engine.recommend_cleaners_for_job(job)) for _ in range(20)]
        assert all(result.mode == mode for _, result in alone), mode
        figures[f"{cache} {mode}"] = median(took for took, _ in alone)
print(json.dumps(figures))
"""


def measure(root: Path) -> list[tuple[str, str]]:
    """Milliseconds per list, with the required ones."""
    port = free_port()
    environment = {**surroundings(root, port), "RS_USE_CASES": "cleaning"}
    for fill in FILL:
        ran(fill, environment)
    with served(command(), port=port, environment=environment, log=root / "service.log"):
        figures = json.loads(ran([sys.executable, "-c", INSIDE, JOBS, CLEANERS], environment).splitlines()[-1])
    rows = []
    for mode, stated in STATED_MS.items():
        rows += [
            (f"{WORDS[mode]}, {JOBS} jobs at once", f"{figures[f'many {mode}']:.1f} ms a job (stated: about {stated})"),
            (
                f"{WORDS[mode]}, one job alone",
                f"{figures[f'alone {mode}']:.1f} ms; from the cache {figures[f'cached {mode}']:.1f} ms",
            ),
        ]
    return rows
