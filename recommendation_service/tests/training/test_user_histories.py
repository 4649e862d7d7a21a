import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.datasets.weighting import history_of
from recommendation_service.domain.history import PastEvent
from recommendation_service.tests.support.exports import NOW, Happening, clubs, write_export
from recommendation_service.tests.support.materials import material_of
from recommendation_service.training.user_histories import build_histories
from recommendation_service.use_cases.loader import load

STARTUPS = load("startups")
WEIGHTS = {name: rule.weight for name, rule in STARTUPS.events.items()}
one_event = st.tuples(
    st.integers(0, 3), st.integers(0, 5), st.sampled_from(["like", "apply", "dismiss"]), st.integers(0, 30 * 24)
)


@given(st.lists(one_event, max_size=40))
def test_everybodys_past_is_what_a_request_would_make_of_their_events(told):
    happenings = [Happening(f"u{user}", f"i{item}", event, NOW - hours * 3600.0) for user, item, event, hours in told]
    records, _, _ = clubs(items=6)
    renamed = [type(one)(f"i{row}", one.title) for row, one in enumerate(records)]
    material, _ = material_of(renamed, happenings, {"u0": {}}, weight=WEIGHTS, weighting=STARTUPS.weighting)
    for row, user_id in enumerate(material.user_ids.ids()):
        own = [PastEvent(one.item_id, one.event, one.time) for one in happenings[::-1] if one.user_id == user_id]
        expected = history_of(STARTUPS, material.catalogue, own, NOW)
        found = material.histories.of(row)
        assert found.count == expected.count
        assert found.rows.tolist() == expected.rows.tolist()
        assert np.allclose(found.weights, expected.weights, atol=1e-4)


def test_the_matrix_of_all_pasts_is_the_exported_one(tmp_path):
    records, happenings, profiles = clubs()
    dataset = write_export(tmp_path, STARTUPS, records, happenings, profiles)
    events = dataset.events()
    newest = float(events.times.max())
    histories = build_histories(events, len(dataset.user_ids), len(records), STARTUPS.weighting, newest)
    assert np.allclose(histories.matrix().toarray(), dataset.interactions().toarray(), atol=1e-5)
    popular = np.clip(histories.matrix().toarray(), 0, 1).sum(axis=0)  # each person at most once
    assert np.allclose(popular, dataset.catalogue().popularity, atol=1e-4)


def test_liked_drops_dislikes_and_keeps_the_order():
    happenings = [
        Happening("u", "i000", "like", NOW - 5),
        Happening("u", "i001", "dismiss", NOW - 3),
        Happening("u", "i002", "like", NOW),
    ]
    material, _ = material_of(clubs()[0], happenings, weight=WEIGHTS)
    assert material.histories.rows.tolist() == [2, 1, 0]
    assert material.histories.liked().rows.tolist() == [2, 0]
    assert material.histories.matrix()[0, 1] == pytest.approx(-3)
