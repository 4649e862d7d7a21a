"""The benchmark times the network that training makes, with both of its halves, or it says that it does not."""

import pytest

from benchmarks.performance import pairs
from recommendation_service.tests.support import market


def test_the_network_has_the_sizes_that_training_makes():
    found = pairs.network(5)
    assert found.first.shape == found.second.shape == (6, 64)
    assert [weights.shape for weights, _ in found.collaborative] == [(128, 64), (64, 32), (32, 1)]
    assert [weights.shape for weights, _ in found.content] == [(26, 64), (64, 32), (32, 1)]


def test_each_row_names_its_offers_and_the_stated_time_stands_beside_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(pairs, "ROUNDS", 3)
    monkeypatch.setattr(pairs, "OFFERS", (10, 20))
    rows = dict(pairs.measure(tmp_path))
    assert list(rows) == ["network, 10 offers", "rules, 10 offers", "network, 20 offers", "rules, 20 offers"]
    assert rows["network, 10 offers"].endswith(" ms (stated: about 20)")
    assert all(float(told.split()[0]) > 0 for told in rows.values())


def test_strangers_are_not_timed(monkeypatch):
    with pytest.raises(RuntimeError, match="every pair"):
        pairs._judged(pairs.network(3), market.job(), market.cleaners(4))
