"""Mails: who gets one, once for each occasion, what is in it, and what its links do."""

import re
from datetime import UTC, datetime, timedelta
from smtplib import SMTPException
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from sites.shop.models import Cart, Customer, EmailCampaign, Product, UserEmailPreference
from sites.shop.services import carts, mail_tokens
from sites.shop.services.abandonments import detect_abandonments
from sites.shop.services.campaigns import Sent, send_campaign
from tandem.models import Impression, UserInteraction
from tests.support import store

pytestmark = pytest.mark.django_db
BASE = "https://shop.example"
MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)


@pytest.fixture
def products() -> list[Product]:
    return store.make_products(8)


def weekly(**more: Any) -> Sent:
    return send_campaign(kind="weekly_picks", base_url=BASE, **{"now": MONDAY, **more})


def leaves_cart(customer: Customer, products: list[Product]) -> None:
    for product in products:
        carts.put_in(customer=customer, product_id=product.pk)
    Cart.objects.filter(customer=customer).update(touched_at=timezone.now() - timedelta(hours=30))
    detect_abandonments(hours=24)


def links(message: Any, path: str) -> list[str]:
    return re.findall(rf"{BASE}({path}[^\s/]+/)", message.body)


def test_everybody_with_an_address_who_takes_them_gets_one_a_week(products: list[Product]) -> None:
    store.make_customer("Ada")
    UserEmailPreference.objects.create(customer=store.make_customer("Bob"), weekly_picks=False)
    UserEmailPreference.objects.create(customer=store.make_customer("Cem"), abandoned_cart=False)
    Customer.objects.create(name="Dot")
    assert weekly() == Sent(sent=2)
    assert sorted(message.to[0] for message in mail.outbox) == ["ada@example.org", "cem@example.org"]
    assert weekly(now=MONDAY + timedelta(days=6)) == Sent()
    assert weekly(now=MONDAY + timedelta(days=7)) == Sent(sent=2)
    assert set(EmailCampaign.objects.values_list("occasion", "state")) == {("2026-W47", "sent"), ("2026-W48", "sent")}


def test_a_mail_shows_recommended_products_as_text_and_html_with_their_links(products: list[Product]) -> None:
    ada = store.make_customer("Ada")
    weekly()
    (message,) = mail.outbox
    html = message.alternatives[0][0]
    assert len(links(message, "/shop/mail/to/")) == 6
    assert all(html.count(link) == 1 for link in links(message, "/shop/mail/to/"))
    assert "Hello Ada" in message.body
    campaign = EmailCampaign.objects.get()
    shown = Impression.objects.get(request_id=campaign.request_id)
    assert (shown.user.user_id if shown.user else None, shown.surface, shown.items.count()) == (str(ada.pk), "homepage", 6)
    names = [Product.objects.get(pk=item.item.item_id).name for item in shown.items.order_by("position")]
    assert [line for line in message.body.splitlines() if "Product" in line] == [
        line for name in names for line in message.body.splitlines() if name in line
    ]


def test_a_cart_that_was_left_is_told_with_what_goes_with_it_once(products: list[Product]) -> None:
    ada = store.make_customer("Ada")
    leaves_cart(ada, products[:2])
    assert send_campaign(kind="abandoned_cart", base_url=BASE) == Sent(sent=1)
    assert send_campaign(kind="abandoned_cart", base_url=BASE) == Sent()
    (message,) = mail.outbox
    assert "1 x Product 000, €10" in message.body
    shown = Impression.objects.get(request_id=EmailCampaign.objects.get().request_id)
    assert shown.surface == "cart"
    assert not set(shown.items.values_list("item__item_id", flat=True)) & {str(one.pk) for one in products[:2]}


def test_a_cart_that_was_ordered_since_gets_no_mail(products: list[Product]) -> None:
    ada = store.make_customer("Ada")
    leaves_cart(ada, products[:1])
    carts.check_out(customer=ada)
    assert send_campaign(kind="abandoned_cart", base_url=BASE) == Sent()


def test_a_mail_that_the_server_refuses_is_noted_and_tried_again_and_the_others_go_out(
    products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Ada", "Bob"):
        store.make_customer(name)
    real = EmailBackend.send_messages

    def refusing(self: EmailBackend, messages: Any) -> int:
        if messages[0].to == ["ada@example.org"]:
            raise SMTPException("mailbox full")
        return int(real(self, messages))

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refusing)
        assert weekly() == Sent(sent=1, failed=1)
    row = EmailCampaign.objects.get(customer__name="Ada")
    assert (row.state, row.error) == ("failed", "SMTPException: mailbox full")
    assert weekly() == Sent(sent=1)
    assert EmailCampaign.objects.filter(state="sent").count() == 2


def test_a_mail_that_another_run_claimed_is_not_sent_again(products: list[Product]) -> None:
    EmailCampaign.objects.create(kind="weekly_picks", customer=store.make_customer("Ada"), occasion="2026-W47", subject="x")
    assert weekly() == Sent()
    assert not mail.outbox


def test_the_unsubscribe_link_asks_and_then_stops_that_kind_only(products: list[Product], client: Client) -> None:
    ada = store.make_customer("Ada")
    weekly()
    (link,) = links(mail.outbox[0], "/shop/mail/stop/")
    assert mail.outbox[0].extra_headers["List-Unsubscribe"] == f"<{BASE}{link}>"
    assert b"<form" in client.get(link).content
    assert not UserEmailPreference.objects.exists(), "looking changes nothing: mail programs look by themselves"
    strict = Client(enforce_csrf_checks=True)
    assert b"you will not receive mails" in strict.post(link).content
    row = UserEmailPreference.objects.get()
    assert (row.customer, row.weekly_picks, row.abandoned_cart) == (ada, False, True)
    assert weekly(now=MONDAY + timedelta(days=7)) == Sent()


@pytest.mark.parametrize("token", ["nonsense", "a:b:c", "%00"])
def test_a_link_that_is_not_ours_leads_nowhere(token: str, client: Client) -> None:
    for path in ("stop", "to"):
        assert client.get(f"/shop/mail/{path}/{token}/").status_code == 404
    assert client.post(f"/shop/mail/stop/{token}/").status_code == 404


def test_a_link_for_clicking_does_not_unsubscribe_and_an_old_one_does_nothing(
    products: list[Product], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.make_customer("Ada")
    weekly()
    (stop, to) = (links(mail.outbox[0], f"/shop/mail/{path}/")[0] for path in ("stop", "to"))
    assert client.post(f"/shop/mail/stop/{to.split('/')[4]}/").status_code == 404
    monkeypatch.setattr(mail_tokens, "MAX_AGE_S", -1)
    assert client.get(stop).status_code == 404


def test_a_click_in_a_mail_answers_the_list_it_shows_and_counts_once(products: list[Product], client: Client) -> None:
    ada = store.make_customer("Ada")
    weekly()
    campaign = EmailCampaign.objects.get()
    link = links(mail.outbox[0], "/shop/mail/to/")[0]
    response = client.get(link)
    assert (response.status_code, response["Location"]) == (302, "/shop/")
    click = UserInteraction.objects.get()
    assert (click.kind.name, click.user.user_id, click.request_id) == ("recommendation_click", str(ada.pk), campaign.request_id)
    clicked_at = EmailCampaign.objects.get().clicked_at
    assert clicked_at is not None
    client.get(link)
    assert EmailCampaign.objects.get().clicked_at == clicked_at


def test_one_reads_and_changes_ones_own_preferences(client: Client) -> None:
    account = User.objects.create_user("ada")
    ada, bob = store.make_customer("Ada", account), store.make_customer("Bob")
    client.force_login(account)
    path = "/api/v1/shop/mail-preferences"
    assert client.get(path).json() == {"abandoned_cart": True, "weekly_picks": True}
    changed = client.put(path, {"abandoned_cart": False, "weekly_picks": True}, content_type="application/json")
    assert changed.json() == client.get(path).json() == {"abandoned_cart": False, "weekly_picks": True}
    assert UserEmailPreference.objects.get().customer == ada
    wrong = client.put(path, {"abandoned_cart": "perhaps", "spam": True}, content_type="application/json")
    assert {error["pointer"] for error in wrong.json()["errors"]} == {"/abandoned_cart", "/weekly_picks", "/spam"}
    assert client.get(f"{path}?user_id={bob.pk}").status_code == 404


def test_the_command_says_what_it_sent(products: list[Product], capsys: Any) -> None:
    for name in ("Ada", "Bob"):
        store.make_customer(name)
    call_command("send_campaign", "weekly_picks", "--limit", "1")
    assert capsys.readouterr().out == "1 sent, 0 failed\n"
    assert len(mail.outbox) == 1
    with pytest.raises(CommandError, match="http"):
        call_command("send_campaign", "weekly_picks", "--base-url", "ftp://x")
    with pytest.raises(InvalidInput, match="there is no campaign 'spam'"):
        send_campaign(kind="spam", base_url=BASE)
