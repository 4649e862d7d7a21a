"""The page that all sites share."""

from django.apps import AppConfig


class PageConfig(AppConfig):
    """One view and one set of templates; a site adds nothing but its ItemSource."""

    name = "sites.page"
    label = "page"
    verbose_name = "Page"
