"""The page of every site: who is asked about, their list, and what they do with it. Works with and without JavaScript."""

from collections.abc import Callable, Sequence
from functools import partial, wraps
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from recommendation_service.domain.ids import clean_id
from recommendation_service.errors import Gone, InvalidInput, NotFound
from storefront import labels, people, permissions
from storefront.actions import do, hide
from storefront.presenters import Shown, ids_shown, item_shown, item_surfaces, shown_to
from tandem.models import UserInteraction
from tandem.selectors.items import items_by_id, title_of
from tandem.sources import ItemSource, use_case_of
from tandem.use_cases import load

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HIDE = "hide"
NOT_RECORDED = "This was not recorded"

View = Callable[..., HttpResponse]


def guarded(view: View) -> View:
    """Nothing from elsewhere, nothing inline, and never kept by a cache between here and the visitor."""

    @wraps(view)
    def answered(request: HttpRequest, **kwargs: str) -> HttpResponse:
        response = view(request, **kwargs)
        response["Content-Security-Policy"] = POLICY
        response["Cache-Control"] = "private, no-store"
        response["Vary"] = "Cookie, HX-Request"
        return response

    return answered


@require_GET
@guarded
def home(request: HttpRequest) -> HttpResponse:
    """Every site with its counts."""
    sites = [_counts(address, sources) for address, sources in permissions.shown_sites()]
    return render(request, "storefront/home.html", {"sites": sites, "is_demo": permissions.is_demo()})


@require_GET
@guarded
def site(request: HttpRequest, *, site: str) -> HttpResponse:
    """One site: the people to choose from, and the list of the one who is chosen. Or on to the site's own page."""
    if elsewhere := permissions.own_page_of(site):
        return HttpResponseRedirect(elsewhere)
    source = permissions.source_or_404(site)
    chooses = permissions.may_choose(request)
    search = request.GET.get("q", "")
    user_id = request.GET.get("person", "") or next(iter(permissions.own_ids(request, source)), "")
    person = permissions.person_or_404(request, source, user_id) if user_id else None
    context = {
        **_frame(source),
        "chooses": chooses,
        "search": search[: people.LONGEST_SEARCH],
        "people": people.lines(source, search=search) if chooses else [],
        "shown": shown_to(source, person, explain=chooses, by=request.GET.get("by", "")) if person is not None else None,
        "said": " ".join(str(message) for message in messages.get_messages(request)),
    }
    return render(request, "storefront/site.html", context)


@require_GET
@guarded
def item(request: HttpRequest, *, site: str, item_id: str) -> HttpResponse:
    """One item with every list around it, for the visitor, or for whom somebody who may choose looks."""
    source = permissions.source_or_404(site)
    if not item_surfaces(source):
        raise Http404(permissions.NOT_HERE)
    chooses = permissions.may_choose(request)
    user_id = request.GET.get("person", "") or next(iter(permissions.own_ids(request, source)), "")
    person = permissions.person_or_404(request, source, user_id) if user_id else None
    if person is None and not chooses:
        raise Http404(permissions.NOT_HERE)
    try:
        wanted = clean_id(item_id, field="item_id")
        found = item_shown(source, wanted, user_id=None if person is None else source.user_id(person), explain=chooses)
    except (InvalidInput, NotFound, Gone) as error:
        raise Http404(permissions.NOT_HERE) from error
    return render(
        request,
        "storefront/item.html",
        {**_frame(source), "item": found, "person": person, "person_id": "" if person is None else source.user_id(person)},
    )


@require_POST
@guarded
def did(request: HttpRequest, *, site: str) -> HttpResponse:
    """Record one click with the list it answers, and show the next list: in place with htmx, else by a redirect."""
    source = permissions.source_or_404(site)
    person = permissions.person_or_404(request, source, request.POST.get("person", ""))
    event, item_id = request.POST.get("event", ""), request.POST.get("item_id", "")
    request_id = request.POST.get("request_id") or None
    before = [other for other in ids_shown(request_id, source.user_id(person)) if other != item_id]
    problem = _record(source, person, event, item_id, request_id)
    by = request.POST.get("by", "")
    shown = shown_to(source, person, explain=permissions.may_choose(request), by=by, before=before)
    said = problem or _change(source, shown, event, item_id, before=request.POST.get("method", ""), compared=bool(before))
    if getattr(request, "htmx", False):
        return render(request, "storefront/_list.html", {**_frame(source), "shown": shown, "said": said, "swapped": True})
    messages.info(request, said)
    asked = {"person": source.user_id(person), **({"by": shown.by} if shown.by else {})}
    return HttpResponseRedirect(f"{reverse('storefront:site', args=[site])}?{urlencode(asked)}#list", status=303)


def _frame(source: type[ItemSource]) -> dict[str, object]:
    use_case = load(use_case_of(source))
    return {
        "site": source.catalogue,
        "title": use_case.title or source.catalogue,
        "is_demo": permissions.is_demo(),
        "has_item_pages": bool(item_surfaces(source)),
        "has_outcomes": bool(use_case.outcomes.clicks or use_case.outcomes.conversions),
    }


def _record(source: type[ItemSource], person: object, event: str, item_id: str, request_id: str | None) -> str:
    """What went wrong, in words; empty when the click was recorded."""
    if event != HIDE and event not in source.events_for(person):
        return f"{NOT_RECORDED}: there is no button '{event[:40]}' here."
    record = hide if event == HIDE else partial(do, event=event)
    problem = record(source=source, person=person, item_id=item_id, request_id=request_id)
    return f"{NOT_RECORDED}: {problem}." if problem else ""


def _change(source: type[ItemSource], shown: Shown, event: str, item_id: str, *, before: str, compared: bool) -> str:
    item = items_by_id(source=source, item_ids=[item_id]).get(item_id)
    use_case = load(use_case_of(source))
    left = item_id not in {card.item_id for card in shown.cards}
    told = labels.what_changed(
        event=event,
        title=title_of(source=source, item=item) if item is not None else item_id,
        left=left,
        count=shown.person.count,
        before=labels.method_name(use_case, before) if before in use_case.engines else "",
        after=shown.method_name,
    )
    return f"{told} {labels.rearranged([card.moved for card in shown.cards], left=left)}" if compared else told


def _counts(address: str, sources: Sequence[type[ItemSource]]) -> dict[str, object]:
    return {
        **_frame(sources[0]),
        "address": address,
        "items": sum(source.items().count() for source in sources),
        "people": sum(found.all().count() for source in sources for found in source.profiles),
        "interactions": sum(_interactions(source.catalogue).count() for source in sources),
    }


def _interactions(catalogue: str) -> QuerySet[UserInteraction]:
    return UserInteraction.objects.filter(catalogue__name=catalogue)
