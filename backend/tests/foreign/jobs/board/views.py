"""The home page, and the page of one job."""

from django.shortcuts import get_object_or_404, render

from board.models import Job


def home(request):
    return render(request, "board/home.html")


def page(request, pk):
    return render(request, "board/job.html", {"job": get_object_or_404(Job, pk=pk)})
