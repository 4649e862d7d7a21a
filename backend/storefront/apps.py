"""The page that all sites share."""

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    """One view and one set of templates; a site adds nothing but its ItemSource."""

    name = "storefront"
    label = "storefront"
    verbose_name = "Storefront"
