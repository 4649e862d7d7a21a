"""The two kinds of links in a mail, each with a signed token: no more of these mails, and to a product."""

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
    """Where the mail's reader ends this kind of mails."""
    payload = {"customer": str(campaign.customer_id), "kind": campaign.kind}
    return reverse("shop:stop", args=[signing.dumps(payload, salt=STOP)])


def click_path(campaign: EmailCampaign, product_id: str) -> str:
    """Where a product in the mail leads."""
    return reverse("shop:clicked", args=[signing.dumps({"mail": str(campaign.pk), "product": product_id}, salt=CLICK)])


def customer_of_stop(*, token: str) -> tuple[Customer, str] | None:
    """Whose mails of which kind the token ends; None for a token that is not ours, too old, or of somebody who left."""
    payload = _read(token, STOP, "customer", "kind")
    if payload is None or payload["kind"] not in EmailCampaign.Kind.values:
        return None
    customer = Customer.objects.filter(pk=UUID(payload["customer"])).first()
    return None if customer is None else (customer, payload["kind"])


def stop(*, token: str) -> bool:
    """Send no more mails of that kind to that customer; False for a token that is not ours."""
    payload = customer_of_stop(token=token)
    if payload is None:
        return False
    customer, kind = payload
    defaults = {kind: False, "updated_at": timezone.now()}
    UserEmailPreference.objects.update_or_create(customer=customer, defaults=defaults)
    return True


def click(*, token: str) -> str | None:
    """Note that a product in a mail was clicked, in answer to the list that the mail shows.

    Gives the product's id; None for a token that is not ours. Clicked again, it counts once.
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
