"""Every table of the shop can be looked at, and a mail tells why each product was in it."""

from datetime import UTC, datetime

import numpy as np
import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sites.shop import models
from sites.shop.admin import EmailCampaignAdmin
from sites.shop.services import carts
from sites.shop.services.abandonments import detect_abandonments
from sites.shop.services.campaigns import send_campaign
from sites.shop.services.performance import measure_performance
from sites.shop.services.product_sync import ProductSyncService
from sites.shop.services.user_preference import UserPreferenceService
from tests.support import store

pytestmark = pytest.mark.django_db
TABLES = [
    models.Product, models.Customer, models.Order, models.Cart, models.WishlistItem, models.ProductEmbedding,
    models.UserPreferenceEmbedding, models.CartAbandonment, models.EmailCampaign, models.UserEmailPreference,
    models.RecommendationPerformance, models.SyncStatus,
]  # fmt: skip


@pytest.fixture
def lived_in() -> None:
    """A shop in which every table holds something."""
    products, ada = store.make_products(8), store.make_customer("Ada")
    ProductSyncService().sync_products()
    models.ProductEmbedding.objects.all().delete()
    store.embedded(products, np.eye(8))
    models.WishlistItem.objects.create(customer=ada, product=products[0])
    carts.put_in(customer=ada, product_id=products[1].pk)
    carts.check_out(customer=ada)
    carts.put_in(customer=ada, product_id=products[2].pk)
    detect_abandonments(hours=24, now=datetime(2100, 1, 1, tzinfo=UTC))
    send_campaign(kind="weekly_picks", base_url="https://shop.example")
    models.UserEmailPreference.objects.create(customer=ada)
    UserPreferenceService().update_user_preference(str(ada.pk))
    measure_performance(days=3)


@pytest.mark.usefixtures("lived_in")
@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_every_table_is_listed_and_its_rows_open(model: type[models.Product], client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    word = f"shop_{model._meta.model_name}"
    assert client.get(reverse(f"admin:{word}_changelist")).status_code == 200
    row = model.objects.first()
    assert row is not None
    assert client.get(reverse(f"admin:{word}_change", args=[row.pk])).status_code == 200
    assert str(row)


@pytest.mark.usefixtures("lived_in")
def test_a_mail_tells_why_each_product_was_in_it() -> None:
    told = EmailCampaignAdmin(models.EmailCampaign, admin.site).why_shown(models.EmailCampaign.objects.get())
    assert ": Product 00" in told
    assert told.count(";") == 4
    assert EmailCampaignAdmin(models.EmailCampaign, admin.site).why_shown(models.EmailCampaign()) == "nothing was recorded"


def test_the_recommenders_tables_have_the_stated_names() -> None:
    stated = {
        "product_embeddings", "user_preference_embeddings", "cart_abandonments", "email_campaigns", "user_email_preferences",
        "recommendation_performance", "sync_status",
    }  # fmt: skip
    assert {table._meta.db_table for table in TABLES} >= {f"recommender_{name}" for name in stated}
