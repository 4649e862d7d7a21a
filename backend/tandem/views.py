"""What follows a shown list: a click that leads to the item, and events that a page sends."""

from django.db.transaction import non_atomic_requests
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from tandem.middleware import or_unavailable
from tandem.selectors.deadlines import list_deadline
from tandem.services.clicks import ListEvent, destination, read_token, record_list_event, user_id_for


@or_unavailable
@non_atomic_requests  # recording has a transaction of its own, and reads before it must not begin one
@never_cache
@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """Record the click for the user whose list it was, and redirect to the item's page.

    A prefetch, a HEAD request and another user's link are redirected without being recorded. 404 for a token that this
    site did not sign or that is older than 30 days, and for an item that is gone.
    """
    event = read_token(token)
    with list_deadline():
        url = destination(event) if event else ""
        if event is None or not url:
            raise Http404("this link is too old, or its item does not exist any more")
        if request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", ""):
            _record(request, event)
    return HttpResponseRedirect(url)


@or_unavailable
@non_atomic_requests
@never_cache
@csrf_exempt  # the token is signed for one user, list, item and event; another site cannot make one
@require_POST
def event(request: HttpRequest, token: str) -> HttpResponse:
    """Record an event that a page sends, such as by navigator.sendBeacon. 204 also if there was nobody to record it for."""
    happened = read_token(token)
    if happened is None:
        raise Http404("this token is too old, or was not made here")
    with list_deadline():
        _record(request, happened)
    return HttpResponse(status=204)


def _record(request: HttpRequest, event: ListEvent) -> None:
    user_id = user_id_for(event, getattr(request, "user", None))
    if user_id is not None and event.event:
        record_list_event(event, user_id)
