"""URLs of the list of sites, and of each site's page, actions, statistics and items."""

from django.urls import path

from storefront import views
from storefront.statistics import statistics_page

app_name = "storefront"
urlpatterns = [
    path("", views.home, name="home"),
    path("<slug:site>/", views.site, name="site"),
    path("<slug:site>/action/", views.act, name="act"),
    path("<slug:site>/statistics/", statistics_page, name="statistics"),
    path("<slug:site>/item/<str:item_id>/", views.item, name="item"),
]
