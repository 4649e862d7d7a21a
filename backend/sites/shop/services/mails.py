"""One mail with recommendations, as text and as HTML, and the list that it shows."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from sites.shop.models import EmailCampaign
from sites.shop.recommendation_sources import Shop
from sites.shop.services.carts import lines_of
from sites.shop.services.mail_tokens import click_path, stop_path
from sites.shop.services.recommendation_engine_v2 import HybridRecommendationEngine
from tandem.selectors.items import items_by_id

SHOWN = 6


def written_mail(campaign: EmailCampaign, *, base_url: str) -> EmailMultiAlternatives:
    """Return the mail; set the campaign's `request_id` to the recorded list that it shows."""
    customer = campaign.customer
    lines = lines_of(customer=customer) if campaign.kind == EmailCampaign.Kind.ABANDONED_CART else []
    engine = HybridRecommendationEngine()
    answer = engine.cart([str(line.product_id) for line in lines], str(customer.pk), limit=SHOWN)
    campaign.request_id = UUID(answer["request_id"])
    stop_url = f"{base_url}{stop_path(campaign)}"
    picks = _picks(campaign, answer["recommendations"], base_url)
    context = {"customer": customer, "subject": campaign.subject, "lines": lines, "picks": picks, "stop_url": stop_url}
    mail = EmailMultiAlternatives(
        subject=campaign.subject,
        body=render_to_string("shop/mail.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[customer.email],
        headers={"List-Unsubscribe": f"<{stop_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},  # RFC 8058
    )
    mail.attach_alternative(render_to_string("shop/mail.html", context), "text/html")
    return mail


def _picks(campaign: EmailCampaign, shown: list[dict[str, Any]], base_url: str) -> list[dict[str, Any]]:
    products = items_by_id(source=Shop, item_ids=[item["item_id"] for item in shown])
    return [
        {
            "product": products[item["item_id"]],
            "reason": next(iter(item["reasons"]), ""),
            "url": f"{base_url}{click_path(campaign, item['item_id'])}",
        }
        for item in shown
        if item["item_id"] in products
    ]
