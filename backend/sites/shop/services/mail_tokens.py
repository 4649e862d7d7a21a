"""The two kinds of links in a mail, each with a signed token: no more of these mails, and to a product."""

from uuid import UUID

from django.core import signing
from django.urls import reverse
from django.utils import timezone

from sites.shop.models import Customer, EmailCampaign
from sites.shop.recommendation_sources import Shop
from sites.shop.services.mail_preferences import KINDS, change_preferences
from tandem.services.record_interactions import record_interactions

STOP, CLICK = "shop.mail.stop", "shop.mail.click"
LINKS_WORK_S = 180 * 86_400  # half a year


def stop_path(campaign: EmailCampaign) -> str:
    """Where the mail's reader ends this kind of mails."""
    words = {"customer": str(campaign.customer_id), "kind": campaign.kind}
    return reverse("shop:stop", args=[signing.dumps(words, salt=STOP)])


def click_path(campaign: EmailCampaign, product_id: str) -> str:
    """Where a product in the mail leads."""
    return reverse("shop:clicked", args=[signing.dumps({"mail": str(campaign.pk), "product": product_id}, salt=CLICK)])


def customer_of_stop(*, token: str) -> tuple[Customer, str] | None:
    """Whose mails of which kind the token ends; None for a token that is not ours, too old, or of somebody who left."""
    found = _read(token, STOP, "customer", "kind")
    if found is None or found["kind"] not in KINDS:
        return None
    customer = Customer.objects.filter(pk=UUID(found["customer"])).first()
    return None if customer is None else (customer, found["kind"])


def stop(*, token: str) -> bool:
    """Send no more mails of that kind to that customer; False for a token that is not ours."""
    found = customer_of_stop(token=token)
    if found is None:
        return False
    customer, kind = found
    change_preferences(customer=customer, wanted={kind: False})
    return True


def click(*, token: str) -> str | None:
    """Note that a product in a mail was clicked, in answer to the list that the mail shows.

    Gives the product's id; None for a token that is not ours. Clicked again, it counts once.
    """
    found = _read(token, CLICK, "mail", "product")
    campaign = None if found is None else EmailCampaign.objects.filter(pk=UUID(found["mail"])).first()
    if found is None or campaign is None:
        return None
    row = {
        "user_id": str(campaign.customer_id),
        "item_id": found["product"],
        "event": "recommendation_click",
        "catalogue": Shop.catalogue,
        "request_id": campaign.request_id,
    }
    record_interactions([row], source="mail", known_items_only=True)
    EmailCampaign.objects.filter(pk=campaign.pk, clicked_at=None).update(clicked_at=timezone.now())
    return found["product"]


def _read(token: str, salt: str, *names: str) -> dict[str, str] | None:
    try:
        found = signing.loads(token, salt=salt, max_age=LINKS_WORK_S)
    except signing.BadSignature:
        return None
    return found if isinstance(found, dict) and set(found) == set(names) else None
