"""Links of mails. A signed token is the permission: a reader of mails has no session."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from sites.shop.models import EmailCampaign
from sites.shop.services import mail_tokens

INVALID_LINK = "this link is invalid or too old"


@csrf_exempt  # a mail program posts here by itself (RFC 8058), and the token is what a CSRF token would be
@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for confirmation, because mail programs follow links by themselves; a POST unsubscribes."""
    target = mail_tokens.customer_of_stop(token=token)
    if target is None:
        raise Http404(INVALID_LINK)
    stopped = request.method == "POST" and mail_tokens.stop(token=token)
    customer, kind = target
    context = {"customer": customer, "kind": EmailCampaign.Kind(kind).label, "stopped": stopped}
    return render(request, "shop/stop.html", context)


@require_GET
def clicked(request: HttpRequest, token: str) -> HttpResponse:
    """Record the click and redirect to the shop."""
    if mail_tokens.click(token=token) is None:
        raise Http404(INVALID_LINK)
    return HttpResponseRedirect(reverse("storefront:site", args=["shop"]))
