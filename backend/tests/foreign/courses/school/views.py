"""The home page, and one page for each course, article and video."""

from django.shortcuts import get_object_or_404, render

from school.models import Article, Course, Video

KINDS = {"course": Course, "article": Article, "video": Video}


def home(request):
    return render(request, "school/home.html")


def page(request, kind, pk):
    return render(request, "school/page.html", {"item": get_object_or_404(KINDS[kind], pk=pk)})
