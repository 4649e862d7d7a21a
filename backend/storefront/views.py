"""The shared page of every site: people to choose from, a person's list, and the actions on it. JavaScript is optional."""

from collections.abc import Callable, Sequence
from functools import partial, wraps
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from recommendation_service.errors import Gone, InvalidInput, NotFound
from recommendation_service.use_cases.loader import load
from storefront import labels, people, permissions
from storefront.actions import hide, perform_action, record_opened
from storefront.forms import ActionForm
from storefront.presenters import PersonListPresentation, buttons_for, ids_shown, item_page, item_surfaces, person_list
from tandem.models import UserInteraction
from tandem.selectors.deadlines import BUSY_S, database_deadline
from tandem.selectors.items import items_by_id, title_of
from tandem.sources import ItemSource, use_case_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HIDE = "hide"
DATABASE_S = 2.0  # a page reads more than a list

View = Callable[..., HttpResponse]


def guarded(view: View) -> View:
    """Limit a page's wait for the databases, and add headers: nothing from other hosts, nothing inline, no shared caching."""

    @wraps(view)
    def with_headers(request: HttpRequest, **kwargs: str) -> HttpResponse:
        with database_deadline(DATABASE_S, busy_s=BUSY_S if request.method == "GET" else DATABASE_S):
            response = view(request, **kwargs)
        response["Content-Security-Policy"] = POLICY
        response["Cache-Control"] = "private, no-store"
        response["Vary"] = "Cookie, HX-Request"
        return response

    return with_headers


@require_GET
@guarded
def home(request: HttpRequest) -> HttpResponse:
    """List every site with its counts."""
    sites = [_site_counts(url, sources) for url, sources in permissions.listed_sites()]
    return render(request, "storefront/home.html", {"sites": sites, "is_demo": permissions.is_demo()})


@require_GET
@guarded
def site(request: HttpRequest, *, site: str) -> HttpResponse:
    """Show one site: people to choose from, and the list of the chosen one. Redirect if the site has its own page."""
    if site_page := permissions.site_page_of(site):
        return HttpResponseRedirect(site_page)
    source = permissions.source_or_404(site)
    chooses = permissions.may_choose(request)
    search = request.GET.get("q", "")
    person = permissions.requested_person(request, source)
    by = request.GET.get("by", "")
    context = {
        **_page_context(source),
        "chooses": chooses,
        "search": search[: people.MAX_SEARCH_LENGTH],
        "people": people.person_lines(source, search=search) if chooses else [],
        "shown": None if person is None else person_list(source, person, explain=chooses, by=by),
        "message": " ".join(str(message) for message in messages.get_messages(request)),
    }
    return render(request, "storefront/site.html", context)


@require_GET
@guarded
def item(request: HttpRequest, *, site: str, item_id: str) -> HttpResponse:
    """Show one item with every list about it, for the visitor or the person named by one who may choose.

    Who comes from a shown list (`?request_id=`) has clicked it.
    """
    source = permissions.source_or_404(site)
    if not item_surfaces(source):
        raise Http404(permissions.NOT_FOUND)
    chooses = permissions.may_choose(request)
    person = permissions.requested_person(request, source)
    if person is None and not chooses:
        raise Http404(permissions.NOT_FOUND)
    user_id = None if person is None else source.user_id(person)
    request_id = request.GET.get("request_id", "")
    if user_id is not None:
        record_opened(source, user_id, item_id, request_id)
    try:
        card, lists = item_page(source, source.spelled_item_id(item_id), user_id=user_id, explain=chooses)
    except (InvalidInput, NotFound, Gone) as error:
        raise Http404(permissions.NOT_FOUND) from error
    context = {
        **_page_context(source),
        "card": card,
        "lists": lists,
        "person": person,
        "person_id": user_id or "",
        "request_id": request_id,
        "buttons": [] if person is None else buttons_for(source, person),
    }
    return render(request, "storefront/item.html", context)


@require_POST
@guarded
def act(request: HttpRequest, *, site: str) -> HttpResponse:
    """Record one click with the list it answers, and show the next list: in place with htmx, else by a redirect."""
    source = permissions.source_or_404(site)
    form = ActionForm(request.POST)
    problem = "" if form.is_valid() else f"{labels.NOT_RECORDED}: {form.problem()}."
    person = permissions.person_or_404(request, source, form.value("person"))
    event, item_id, request_id = form.value("event"), form.value("item_id"), form.value("request_id") or None
    before = [other for other in ids_shown(request_id, source.user_id(person)) if other != item_id]
    problem = problem or _record(source, person, event, item_id, request_id)
    shown = person_list(source, person, explain=permissions.may_choose(request), by=form.value("by"), before=before)
    message = problem or _click_message(source, shown, event, item_id, previous=form.value("method"), compared=bool(before))
    if getattr(request, "htmx", False):
        context = {**_page_context(source), "shown": shown, "message": message, "swapped": True}
        return render(request, "storefront/_list.html", context)
    messages.info(request, message)
    query = {"person": source.user_id(person), **({"by": shown.by} if shown.by else {})}
    return HttpResponseRedirect(f"{reverse('storefront:site', args=[site])}?{urlencode(query)}#list", status=303)


def _page_context(source: type[ItemSource]) -> dict[str, object]:
    use_case = load(use_case_of(source))
    return {
        "site": source.catalogue,
        "title": use_case.title or source.catalogue,
        "is_demo": permissions.is_demo(),
        "has_item_pages": bool(item_surfaces(source)),
        "has_outcomes": bool(use_case.outcomes.clicks or use_case.outcomes.conversions),
    }


def _record(source: type[ItemSource], person: object, event: str, item_id: str, request_id: str | None) -> str:
    """Record a click; return an error message, or "" if it was recorded."""
    if event != HIDE and event not in source.events_for(person):
        return f"{labels.NOT_RECORDED}: {labels.NO_BUTTON % {'event': event[:40]}}."
    record = hide if event == HIDE else partial(perform_action, event=event)
    problem = record(source=source, person=person, item_id=item_id, request_id=request_id)
    return f"{labels.NOT_RECORDED}: {problem}." if problem else ""


def _click_message(
    source: type[ItemSource], shown: PersonListPresentation, event: str, item_id: str, *, previous: str, compared: bool
) -> str:
    item = items_by_id(source=source, item_ids=[item_id]).get(item_id)
    use_case = load(use_case_of(source))
    removed = item_id not in {card.item_id for card in shown.cards}
    message = labels.click_result(
        event=event,
        title=title_of(source=source, item=item) if item is not None else item_id,
        removed=removed,
        count=shown.person.count,
        before=labels.method_name(use_case, previous) if previous in use_case.engines else "",
        after=shown.method_name,
    )
    changes = [card.position_change for card in shown.cards]
    return f"{message} {labels.list_changes(changes, removed=removed)}" if compared else message


def _site_counts(url: str, sources: Sequence[type[ItemSource]]) -> dict[str, object]:
    catalogues = [source.catalogue for source in sources]
    return {
        **_page_context(sources[0]),
        "address": url,
        "items": sum(part.items().count() for source in sources for part in source.parts()),
        "people": sum(people_.all().count() for source in sources for people_ in source.profiles),
        "interactions": UserInteraction.objects.filter(catalogue__name__in=catalogues).count(),
    }
