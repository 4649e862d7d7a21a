"""The home page, and the page of one listing."""

from django.shortcuts import get_object_or_404, render

from bazaar.models import Listing


def home(request):
    return render(request, "bazaar/home.html")


def page(request, pk):
    return render(request, "bazaar/listing.html", {"listing": get_object_or_404(Listing, pk=pk)})
