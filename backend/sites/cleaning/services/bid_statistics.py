"""What became of the bids advised: read, never written."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from sites.cleaning.models import BidSuggestion

_WON, _LOST = Q(did_win=True), Q(did_win=False)
_USED, _UNUSED = Q(was_used=True), Q(was_used=False)


@dataclass(frozen=True, slots=True)
class AdviceFigures:
    """Counts of suggestions by one method."""

    method: str
    advised: int
    bid: int  # a bid followed
    used: int  # and lay within the advice
    won_used: int
    lost_used: int
    won_unused: int
    lost_unused: int

    @property
    def used_share(self) -> float | None:
        """Of the bids that followed advice, those within it; None before the first."""
        return _share(self.used, self.bid)

    @property
    def win_rate_used(self) -> float | None:
        """Of the decided bids within the advice, those that won; None before the first."""
        return _share(self.won_used, self.won_used + self.lost_used)

    @property
    def win_rate_unused(self) -> float | None:
        """The same of the decided bids outside of it."""
        return _share(self.won_unused, self.won_unused + self.lost_unused)

    @property
    def coverage(self) -> float | None:
        """Of the advised bids that won, those between minimum and maximum; None before the first.

        These bidders had seen the advice: the share of all winning bids, advised or not, is what measure_bids prints.
        """
        return _share(self.won_used, self.won_used + self.won_unused)


def advice_figures(*, since: datetime | None = None) -> list[AdviceFigures]:
    """One row a method, by its name. One query."""
    made = BidSuggestion.objects.all() if since is None else BidSuggestion.objects.filter(created_at__gte=since)
    rows = (
        made.order_by("method")
        .values("method")
        .annotate(
            advised=Count("pk"),
            bid=Count("pk", filter=Q(actual_bid__isnull=False)),
            used=Count("pk", filter=_USED),
            won_used=Count("pk", filter=_WON & _USED),
            lost_used=Count("pk", filter=_LOST & _USED),
            won_unused=Count("pk", filter=_WON & _UNUSED),
            lost_unused=Count("pk", filter=_LOST & _UNUSED),
        )
    )
    return [AdviceFigures(**row) for row in rows]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
