"""The site's own API."""

from django.http import JsonResponse
from recommendations.models import Recommendation


def ping(request):
    return JsonResponse({"recommendations": Recommendation.objects.count()})
