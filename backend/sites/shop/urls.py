"""Addresses of the shop: its lists, carts, mails and analytics."""

from django.urls import path

from sites.shop.views import analytics, carts, lists, mails

app_name = "shop"
urlpatterns = [
    path("api/v1/recommendations/homepage", lists.HomepageView.as_view(), name="homepage"),
    path("api/v1/recommendations/cart", lists.CartListView.as_view(), name="cart-recommendations"),
    path("api/v1/recommendations/product/<str:product_id>", lists.SimilarView.as_view(), name="similar"),
    path(
        "api/v1/recommendations/frequently-bought-together/<str:product_id>",
        lists.BoughtTogetherView.as_view(),
        name="bought-together",
    ),
    path("api/v1/shop/cart", carts.CartView.as_view(), name="cart"),
    path("api/v1/shop/cart/lines", carts.CartLinesView.as_view(), name="cart-lines"),
    path("api/v1/shop/cart/lines/<uuid:product_id>", carts.CartLineView.as_view(), name="cart-line"),
    path("api/v1/shop/cart/checkout", carts.CheckoutView.as_view(), name="checkout"),
    path("api/v1/shop/mail-preferences", carts.MailPreferencesView.as_view(), name="mail-preferences"),
    path("api/v1/analytics/recommendations/performance", analytics.PerformanceView.as_view(), name="performance"),
    path("api/v1/analytics/conversion-funnel", analytics.FunnelView.as_view(), name="funnel"),
    path("shop/mail/stop/<str:token>/", mails.stop, name="stop"),
    path("shop/mail/to/<str:token>/", mails.clicked, name="clicked"),
]
