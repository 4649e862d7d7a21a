"""A request is timed as it is served: a new one each time, one person after the other."""

import pytest

from recommendation_service.commands.evaluate_file import costs
from recommendation_service.commands.evaluate_file.costs import requests_ms
from recommendation_service.core.numeric import Floats
from recommendation_service.domain.query import Query
from recommendation_service.tests.support.materials import club_panel


class Listener:
    """Keeps what it was asked and takes as long as it is told."""

    def __init__(self, clock: list[float], took: list[float]) -> None:
        self.asked: list[Query] = []
        self._clock, self._took = clock, took

    def scores(self, query: Query) -> Floats | None:
        self._clock[0] += self._took[len(self.asked) % len(self._took)]
        self.asked.append(query)
        return None


def test_the_cost_is_the_median_over_people_of_requests_that_no_engine_has_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    panel, clock = club_panel(people=40, items=24, events_each=10)[1], [0.0]
    monkeypatch.setattr(costs.time, "perf_counter", lambda: clock[0])
    quick, slow = Listener(clock, [0.002]), Listener(clock, [0.005, 0.005, 0.005, 9.0])
    found = requests_ms({"quick": quick, "slow": slow}, panel)
    assert {name: round(own, 6) for name, own in found.items()} == {"quick": 2.0, "slow": 5.0}
    assert len(quick.asked) == len(panel) + costs.WARMED
    assert len({id(query) for query in quick.asked + slow.asked}) == 2 * len(quick.asked)
    assert [query.user_id for query in quick.asked] == [query.user_id for query in slow.asked]
