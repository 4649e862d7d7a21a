"""Addresses of the page: the list of sites, one site, and what a person does there."""

from django.urls import path

from storefront import views
from storefront.statistics import statistics_page

app_name = "storefront"
urlpatterns = [
    path("", views.home, name="home"),
    path("<slug:site>/", views.site, name="site"),
    path("<slug:site>/did/", views.did, name="did"),
    path("<slug:site>/statistics/", statistics_page, name="statistics"),
    path("<slug:site>/item/<str:item_id>/", views.item, name="item"),
]
