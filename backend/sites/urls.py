"""Every site's own paths, and the page they share, at the root of the server."""

from django.urls import include, path

urlpatterns = [
    path("", include("sites.shop.urls")),
    path("", include("sites.posts.urls")),
    path("", include("sites.courses.urls")),
    path("", include("sites.cleaning.urls")),
    path("", include("storefront.urls")),  # last: its <slug:site>/ takes what is left
]
