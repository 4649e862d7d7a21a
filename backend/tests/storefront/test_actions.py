"""A click on the page, done where the site itself would do it."""

import uuid
from typing import Any

import pytest

from sites.courses.models import Enrolment
from sites.posts.models import Like
from sites.shop.models import Cart, CartLine, OrderLine, WishlistItem
from storefront.actions import hide, perform_action
from tandem.models import Feedback, Impression, UserInteraction, UserKey
from tandem.services.id_mapping import catalogue_key
from tandem.sources import ItemSource, source_of
from tests.support import blog, board, campus, store

pytestmark = pytest.mark.django_db


def of(name: str) -> type[ItemSource]:
    found = source_of(name)
    assert found is not None
    return found


def shown_to(person: Any, catalogue: str) -> str:
    """A list that this person was shown, which a click can answer."""
    user, _ = UserKey.objects.get_or_create(user_id=str(person.pk))
    words = {"use_case": catalogue, "surface": "home", "method_used": "popular"}
    key = catalogue_key(catalogue)
    return str(Impression.objects.create(request_id=uuid.uuid4(), user=user, catalogue_id=key, **words).pk)


def events(person: Any) -> list[tuple[str, float | None, bool]]:
    """What was recorded for this person: event, value, and whether it names a list."""
    found = UserInteraction.objects.filter(user__user_id=str(person.pk)).order_by("id")
    return [
        (kind, value, request is not None) for kind, value, request in found.values_list("kind__name", "value", "request_id")
    ]


def test_into_the_cart_is_into_the_shops_own_cart() -> None:
    person, product = store.make_customer("Ada"), store.make_products(1, stock=3)[0]
    assert perform_action(of("shop"), person, "cart_add", str(product.pk), shown_to(person, "shop")) == ""
    (line,) = CartLine.objects.filter(cart__customer=person, cart__closed_at=None)
    assert (line.product, line.quantity) == (product, 1)
    assert events(person) == [("cart_add", None, True)]


def test_buying_makes_an_order_with_its_value_and_leaves_the_cart_alone() -> None:
    person, (product, other) = store.make_customer("Ada"), store.make_products(2, stock=1)
    perform_action(of("shop"), person, "cart_add", str(other.pk), None)
    assert perform_action(of("shop"), person, "purchase", str(product.pk), shown_to(person, "shop")) == ""
    (line,) = OrderLine.objects.all()
    product.refresh_from_db()
    assert (line.product, line.order.total, product.stock) == (product, product.price, 0)
    assert events(person)[-1] == ("purchase", pytest.approx(float(product.price)), True)
    assert Cart.objects.get(customer=person).closed_at is None


def test_what_is_sold_out_is_told_and_nothing_is_recorded() -> None:
    person, product = store.make_customer("Ada"), store.make_products(1, stock=0)[0]
    assert "0 in stock" in perform_action(of("shop"), person, "purchase", str(product.pk), None)
    assert events(person) == []
    assert not OrderLine.objects.exists()


def test_a_row_that_needs_a_person_and_an_item_only_is_written_once() -> None:
    person, product = store.make_customer("Ada"), store.make_products(1, stock=1)[0]
    for _ in range(2):
        assert perform_action(of("shop"), person, "wishlist_add", str(product.pk), None) == ""
    assert WishlistItem.objects.filter(customer=person, product=product).count() == 1
    assert events(person) == [("wishlist_add", None, False)]


def test_an_enrolment_names_the_list_it_came_from() -> None:
    course, learner = campus.make_courses(editions=1)[0], campus.make_learner("user1")
    assert perform_action(of("courses"), learner, "enroll", course.pk, shown_to(learner, "courses")) == ""
    assert Enrolment.objects.filter(learner=learner, course=course).count() == 1
    assert events(learner) == [("enroll", None, True)]


def test_a_like_of_a_post_is_the_blogs_own() -> None:
    member = blog.make_member("Rob")
    (post,) = blog.make_posts(1, blog.make_member("Eve"))
    assert perform_action(of("posts"), member, "like", str(post.pk), None) == ""
    assert Like.objects.filter(member=member, post=post).count() == 1


def test_an_event_without_a_table_of_its_own_is_recorded_as_it_is() -> None:
    (startup,) = board.make_startups(1)
    ada = board.make_developer("Ada")
    assert perform_action(of("startups"), ada, "like", str(startup.pk), None) == ""
    assert events(ada) == [("like", None, False)]


@pytest.mark.parametrize(
    ("item_id", "request_id", "told"),
    [
        ("0b7c0f5e-5a3c-4a57-9a52-2f3d5f0f6f10", None, "item_id is not an item"),
        ("nothing", None, "item_id is not"),
        (None, "x", "must be a UUID"),
    ],
)
def test_nonsense_is_told_and_records_nothing(item_id: str | None, request_id: str | None, told: str) -> None:
    (startup,) = board.make_startups(1)
    ada = board.make_developer("Ada")
    assert told in perform_action(of("startups"), ada, "like", item_id or str(startup.pk), request_id)
    assert events(ada) == []


def test_hiding_is_recorded_for_the_user_id_with_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of("startups"), "id_prefixes", {"startups.Developer": "developer-"})
    person, startup = board.make_developer("Ada"), board.make_startups(1)[0]
    assert hide(of("startups"), person, str(startup.pk), None) == ""
    assert [row.user.user_id for row in Feedback.objects.all()] == [f"developer-{person.pk}"]
