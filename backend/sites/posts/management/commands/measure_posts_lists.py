"""Requests every member's list twice, as a page does; prints engines, lengths and times."""

import time
from argparse import ArgumentParser
from collections import Counter
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from sites.posts.models import Member
from sites.posts.recommendation_sources import SURFACE, Posts
from tandem.services.recommend import recommend


class Command(BaseCommand):
    """Measure lists with the running service; without it, the lists of the fallback. The lists are recorded as shown."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the length of the lists, and the number of members."""
        parser.add_argument("--topn", type=int, default=12, help="length of the lists (default: 12)")
        parser.add_argument("--people", type=int, help="maximum number of members (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Request the lists and print the report."""
        topn, people = options["topn"], options["people"]
        if not 1 <= topn <= 100 or (people is not None and people < 1):
            raise CommandError("--topn must be 1 to 100, and --people 1 or more")
        members = [str(key) for key in Member.objects.order_by("pk").values_list("pk", flat=True)[:people]]
        if not members:
            raise CommandError("there are no members; run manage.py generate_posts_data first")
        _timed_list(
            members[0], topn + 1 if topn < 100 else topn - 1
        )  # warm up: the first request loads modules and opens connections
        made, again = ([_timed_list(member, topn) for member in members] for _ in range(2))
        self._report(made, again, topn)

    def _report(self, made: list[tuple[dict[str, Any], float]], again: list[tuple[dict[str, Any], float]], topn: int) -> None:
        methods = Counter(answer["method_used"] for answer, _ in made)
        sizes = [len(answer["recommendations"]) for answer, _ in made]
        cached = [
            ms for (first, _), (second, ms) in zip(made, again, strict=True) if first["request_id"] == second["request_id"]
        ]
        engines = ", ".join(f"{count:,} by {name}" for name, count in methods.most_common())
        self.stdout.write(f"lists of {topn} for {len(made):,} members: {engines}")
        self.stdout.write(f"full {sum(size == topn for size in sizes) / len(sizes):.1%}, empty {sizes.count(0):,}")
        self.stdout.write(f"made:   {_times([ms for _, ms in made])}")
        self.stdout.write(f"cached: {_times(cached)}; {len(cached) / len(again):.1%} of the second requests")


def _timed_list(user_id: str, topn: int) -> tuple[dict[str, Any], float]:
    """Return the answer and its milliseconds."""
    began = time.perf_counter()
    answer = recommend(use_case=Posts.catalogue, surface=SURFACE, user_id=user_id, limit=topn)
    return answer, (time.perf_counter() - began) * 1000


def _times(ms: list[float]) -> str:
    if not ms:
        return "none"
    middle, late, latest = np.percentile(ms, [50, 95, 99])
    return f"{middle:.1f} ms half of the time, {late:.1f} ms for 95 %, {latest:.1f} ms for 99 %"
