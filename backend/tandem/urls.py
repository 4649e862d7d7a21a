"""The addresses that a page needs; no Django REST framework: `path("tandem/", include("tandem.urls"))`."""

from django.urls import path

from tandem import views

app_name = "tandem"

urlpatterns = [
    path("click/<str:token>", views.click, name="click"),
    path("event/<str:token>", views.event, name="event"),
]
