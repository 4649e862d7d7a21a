"""Signed links in mails: to unsubscribe, and to a product."""

from uuid import UUID

from django.core import signing
from django.urls import reverse
from django.utils import timezone

from sites.shop.models import Customer, EmailCampaign, UserEmailPreference
from sites.shop.recommendation_sources import Shop
from tandem.services.record_interactions import record_interactions

STOP, CLICK = "shop.mail.stop", "shop.mail.click"
MAX_AGE_S = 180 * 86_400  # half a year


def stop_path(campaign: EmailCampaign) -> str:
    """Return the path to unsubscribe from this kind of mails."""
    payload = {"customer": str(campaign.customer_id), "kind": campaign.kind}
    return reverse("shop:stop", args=[signing.dumps(payload, salt=STOP)])


def click_path(campaign: EmailCampaign, product_id: str) -> str:
    """Return the path of a product in the mail."""
    return reverse("shop:clicked", args=[signing.dumps({"mail": str(campaign.pk), "product": product_id}, salt=CLICK)])


def customer_of_stop(*, token: str) -> tuple[Customer, str] | None:
    """Return the customer and kind of an unsubscribe token; None if it is invalid, too old, or of a deleted customer."""
    payload = _read(token, STOP, "customer", "kind")
    if payload is None or payload["kind"] not in EmailCampaign.Kind.values:
        return None
    customer = Customer.objects.filter(pk=UUID(payload["customer"])).first()
    return None if customer is None else (customer, payload["kind"])


def stop(*, token: str) -> bool:
    """Unsubscribe the customer from that kind of mails; return False for an invalid token."""
    payload = customer_of_stop(token=token)
    if payload is None:
        return False
    customer, kind = payload
    defaults = {kind: False, "updated_at": timezone.now()}
    UserEmailPreference.objects.update_or_create(customer=customer, defaults=defaults)
    return True


def click(*, token: str) -> str | None:
    """Record a click on a product in a mail, with the list of the mail.

    Returns the product's id; None for an invalid token. Repeated clicks count once.
    """
    payload = _read(token, CLICK, "mail", "product")
    campaign = None if payload is None else EmailCampaign.objects.filter(pk=UUID(payload["mail"])).first()
    if payload is None or campaign is None:
        return None
    row = {
        "user_id": str(campaign.customer_id),
        "item_id": payload["product"],
        "event": "recommendation_click",
        "catalogue": Shop.catalogue,
        "request_id": campaign.request_id,
    }
    record_interactions([row], source="mail", known_items_only=True)
    EmailCampaign.objects.filter(pk=campaign.pk, clicked_at=None).update(clicked_at=timezone.now())
    return payload["product"]


def _read(token: str, salt: str, *names: str) -> dict[str, str] | None:
    try:
        payload = signing.loads(token, salt=salt, max_age=MAX_AGE_S)
    except signing.BadSignature:
        return None
    return payload if isinstance(payload, dict) and set(payload) == set(names) else None
