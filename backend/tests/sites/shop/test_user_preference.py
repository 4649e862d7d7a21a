"""Preferences against calculations by hand, and when they are worked out again."""

import math
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recommendation_service.domain.history import PastEvent
from recommendation_service.use_cases.loader import load
from sites.shop.models import ProductEmbedding, UserPreferenceEmbedding
from sites.shop.services.user_preference import UserPreferenceService, mark_stale, outdated, weights_of
from tandem.services.erase_user import erase_user
from tests.support import store
from tests.support.store import NOW

pytestmark = pytest.mark.django_db
AT = NOW.timestamp()
DAY = 86_400.0
service = UserPreferenceService(now=AT)


def test_the_weights_and_the_decay_are_the_stated_ones() -> None:
    events = [
        PastEvent("bought", "purchase", AT),
        PastEvent("in-cart", "cart_add", AT - 30 * DAY),
        PastEvent("wished", "wishlist_add", AT - 15 * DAY),
        PastEvent("clicked", "recommendation_click", AT),
        PastEvent("viewed", "view", AT - 60 * DAY),
        PastEvent("regretted", "cart_remove", AT - 3 * DAY),
    ]
    found = weights_of(events, load("shop"), now=AT)
    wanted = {
        "bought": 5.0,
        "in-cart": 3.0 * math.exp(-1),
        "wished": 2.0 * math.exp(-0.5),
        "clicked": 1.5,
        "viewed": math.exp(-2),
        "regretted": -math.exp(-0.1),
    }
    assert found == pytest.approx(wanted, rel=1e-5)


def test_events_of_one_product_add_up_and_only_the_first_of_a_day_counts() -> None:
    events = [
        PastEvent("a", "view", AT),
        PastEvent("a", "view", AT - 3600),
        PastEvent("a", "purchase", AT),
        PastEvent("a", "view", AT - 30 * DAY),
    ]
    assert weights_of(events, load("shop"), now=AT) == pytest.approx({"a": math.exp(-1 / 720) + 5 + math.exp(-1)}, rel=1e-5)


def test_a_persons_vector_ranges_and_count_equal_a_calculation_by_hand() -> None:
    tent, skillet, seeds = store.make_products(3)  # 10, 20 and 30 euros
    store.embedded([tent, skillet, seeds], np.eye(3))
    ada = store.make_customer("Ada")
    store.did(ada, tent, "purchase", at=NOW)
    store.did(ada, skillet, "view", at=NOW - timedelta(days=30))
    store.did(ada, seeds, "cart_add", at=NOW - timedelta(days=2))
    store.did(ada, seeds, "cart_remove", at=NOW - timedelta(days=1))
    row = service.update_user_preference(str(ada.pk))
    assert row is not None
    third = 3 * math.exp(-2 / 30) - math.exp(-1 / 30)
    by_hand = np.array([5.0, math.exp(-1), third])
    np.testing.assert_allclose(row.array(), by_hand / np.linalg.norm(by_hand), atol=1e-5)
    assert row.top_categories == [["tents", 5.0], ["seeds", round(third, 3)], ["cast iron", round(math.exp(-1), 3)]]
    assert row.price_ranges == [["15 to 40", round(third + math.exp(-1), 3)], ["under 15", 5.0]][::-1]
    assert (row.interaction_count, row.made_by, row.is_stale) == (3, "embedding_v1", False)
    kept = UserPreferenceEmbedding.objects.get(pk=ada.pk)
    np.testing.assert_allclose(kept.array(), row.array())


def test_a_dislike_pushes_away() -> None:
    tent, skillet = store.make_products(2)
    store.embedded([tent, skillet], np.eye(2))
    ada = store.make_customer("Ada")
    store.did(ada, tent, "view", at=NOW)
    store.did(ada, skillet, "cart_remove", at=NOW)
    row = service.update_user_preference(str(ada.pk))
    assert row is not None
    np.testing.assert_allclose(row.array(), np.array([1, -1]) / math.sqrt(2), atol=1e-6)
    assert row.top_categories == [["tents", 1.0]]


def test_where_nothing_points_anywhere_the_rest_is_kept_all_the_same() -> None:
    (tent,) = store.make_products(1)
    ada = store.make_customer("Ada")
    store.did(ada, tent, "view", at=NOW)
    row = service.update_user_preference(str(ada.pk))
    assert row is not None
    assert (row.dimension, row.interaction_count, row.top_categories) == (0, 1, [])


@pytest.mark.parametrize("user_id", ["nobody", "00000000-0000-4000-8000-000000000001"])
def test_somebody_unknown_has_no_preferences(user_id: str) -> None:
    assert service.update_user_preference(user_id) is None


def test_a_customer_without_a_past_has_none_and_an_erased_past_takes_them_away() -> None:
    ada = store.make_customer("Ada")
    UserPreferenceEmbedding.objects.create(customer=ada, vector=b"", dimension=0)
    assert service.update_user_preference(str(ada.pk)) is None
    assert not UserPreferenceEmbedding.objects.exists()


@pytest.mark.usefixtures("transactional_db")
def test_the_next_event_makes_them_stale_and_asking_works_them_out_again() -> None:
    tent, skillet = store.make_products(2)
    store.embedded([tent, skillet], np.eye(2))
    ada, bob = store.make_customer("Ada"), store.make_customer("Bob")
    for one in (ada, bob):
        store.did(one, tent, "view")
        UserPreferenceService().update_user_preference(str(one.pk))
    store.did(ada, skillet, "purchase")
    assert set(UserPreferenceEmbedding.objects.filter(is_stale=True).values_list("pk", flat=True)) == {ada.pk}
    row = UserPreferenceService().preference_of(str(ada.pk))
    assert row is not None
    assert row.interaction_count == 2
    assert row.array()[1] > row.array()[0]
    assert not UserPreferenceEmbedding.objects.filter(is_stale=True).exists()


@pytest.mark.usefixtures("transactional_db")
def test_erasing_a_person_leaves_no_taste_behind() -> None:
    (tent,) = store.make_products(1)
    store.embedded([tent], np.eye(1))
    ada, bob = store.make_customer("Ada"), store.make_customer("Bob")
    for one in (ada, bob):
        store.did(one, tent, "view")
        UserPreferenceService().update_user_preference(str(one.pk))
    erase_user(user_id=str(ada.pk))
    assert set(UserPreferenceEmbedding.objects.values_list("pk", flat=True)) == {bob.pk}


def test_fresh_ones_are_read_and_not_worked_out(django_assert_num_queries: Any) -> None:
    (tent,) = store.make_products(1)
    store.embedded([tent], np.eye(1))
    ada = store.make_customer("Ada")
    store.did(ada, tent, "view", at=NOW)
    service.update_user_preference(str(ada.pk))
    with django_assert_num_queries(1):
        assert service.preference_of(str(ada.pk)) is not None


def test_what_happens_while_they_are_worked_out_leaves_them_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    tent, skillet = store.make_products(2)
    store.embedded([tent, skillet], np.eye(2))
    ada = store.make_customer("Ada")
    store.did(ada, tent, "view", at=NOW)

    def meanwhile(self: UserPreferenceService, *args: Any) -> UserPreferenceEmbedding:
        store.did(ada, skillet, "view", at=NOW)
        return real(self, *args)

    real = UserPreferenceService._row
    monkeypatch.setattr(UserPreferenceService, "_row", meanwhile)
    service.update_user_preference(str(ada.pk))
    assert UserPreferenceEmbedding.objects.get().is_stale


def test_only_vectors_of_one_model_are_added_up() -> None:
    tent, skillet = store.make_products(2)
    store.embedded([tent], [[1, 0]], made_by="embedding_v9")
    store.embedded([skillet], [[0, 1]], made_by="embedding_v10")
    ada = store.make_customer("Ada")
    store.did(ada, tent, "purchase", at=NOW)
    store.did(ada, skillet, "view", at=NOW)
    row = service.update_user_preference(str(ada.pk))
    assert row is not None
    assert row.made_by == "embedding_v10"
    np.testing.assert_allclose(row.array(), [0, 1])


def test_events_elsewhere_do_not_count_as_events_here() -> None:
    ada = store.make_customer("Ada")
    UserPreferenceEmbedding.objects.create(customer=ada, vector=b"", dimension=0)
    mark_stale(user_id=str(ada.pk), catalogue="startups")
    mark_stale(user_id="not-a-uuid", catalogue="shop")
    assert not UserPreferenceEmbedding.objects.filter(is_stale=True).exists()


def test_the_command_works_out_what_is_missing_or_stale(capsys: Any) -> None:
    (tent,) = store.make_products(1)
    store.embedded([tent], np.eye(1))
    ada, bob, cem = (store.make_customer(name) for name in ("Ada", "Bob", "Cem"))
    for one in (ada, bob):
        store.did(one, tent, "view", at=NOW)
    UserPreferenceService().update_user_preference(str(bob.pk))
    assert list(outdated()) == [str(ada.pk)]
    call_command("update_user_preferences")
    assert capsys.readouterr().out == "1 calculated; 2 customers have a vector\n"
    assert list(outdated()) == []
    call_command("update_user_preferences", "--all")
    assert capsys.readouterr().out.startswith("2 calculated")
    with pytest.raises(CommandError, match="no customer with interactions"):
        call_command("update_user_preferences", "--user", str(cem.pk))
    assert ProductEmbedding.objects.count() == 1
