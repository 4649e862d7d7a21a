"""Probes: is the process alive, can it do its work. The only open doors beside the login page."""

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; touches nothing, so a slow database never gets a healthy worker killed."""
    return JsonResponse({"status": "alive"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, else 503. The recommendation service may be down: pages have their own last resort."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse({"status": "unavailable", "detail": "the database does not answer"}, status=503)
    return JsonResponse({"status": "ready"})
