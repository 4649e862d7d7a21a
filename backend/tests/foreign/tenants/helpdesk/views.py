"""The home page, and the page of one article."""

from django.shortcuts import get_object_or_404, render

from helpdesk.models import Article


def home(request):
    return render(request, "helpdesk/home.html")


def page(request, pk):
    return render(request, "helpdesk/article.html", {"article": get_object_or_404(Article, pk=pk)})
