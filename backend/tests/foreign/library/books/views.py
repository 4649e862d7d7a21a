"""The home page, and the page of one work."""

from django.shortcuts import get_object_or_404, render

from books.models import Work


def home(request):
    return render(request, "books/home.html")


def page(request, pk):
    return render(request, "books/work.html", {"work": get_object_or_404(Work, pk=pk)})
