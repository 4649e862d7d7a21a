"""The members' pages: dashboard, theme, discussions of insights, and a post with its comments. JavaScript is optional."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from recommendation_service.errors import InvalidInput
from sites.posts import services, theme
from sites.posts.forms import InterestsForm, ThemeForm, WeeksForm, error_text
from sites.posts.insight_texts import insights_of
from sites.posts.insights import MAX_WEEKS, report_of
from sites.posts.models import FONT_SIZES, Comment, Discussion, Member, Post
from sites.posts.recommendation_sources import Posts
from storefront import permissions as page
from storefront.views import guarded

MAX_SHOWN_COMMENTS = 200
MAX_SHOWN_DISCUSSIONS = 10
MAX_SHOWN_POSTS = 10


@require_GET
@guarded
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show a member's interests and theme, and a creator's insights."""
    member = _visitor_or_404(request, request.GET.get("person", ""))
    weeks = WeeksForm.weeks_of(request.GET)
    report = report_of(member, weeks=weeks) if member.is_creator else None
    context = {
        **_page_context(request, member),
        "report": report,
        "insights": insights_of(report) if report else (),
        "weeks": weeks,
        "max_weeks": MAX_WEEKS,
        "discussions": Discussion.objects.filter(creator=member)[:MAX_SHOWN_DISCUSSIONS] if report else (),
        "posts": report.posts[:MAX_SHOWN_POSTS] if report else (),
        "interests": ", ".join(member.interests),
        "known": Post.objects.categories_and_tags(),
        "font_sizes": FONT_SIZES,
    }
    return render(request, "posts/dashboardhome.html", context)


@require_GET
@guarded
def stylesheet(request: HttpRequest, *, user_id: str) -> HttpResponse:
    """Return the member's colour and font size, for their own pages only."""
    return HttpResponse(theme.stylesheet(_visitor_or_404(request, user_id)), content_type="text/css; charset=utf-8")


@require_POST
@guarded
def change(request: HttpRequest, *, field: str) -> HttpResponse:
    """Store new interests or a new theme, then return to the dashboard."""
    member = _visitor_or_404(request, request.POST.get("person", ""))
    if field == "interests":
        form: forms.BaseForm = InterestsForm(request.POST)
        if form.is_valid():
            services.set_interests(member, form.cleaned_data["interests"])
            messages.info(request, gettext("Your interests are saved."))
    else:
        form = ThemeForm(request.POST, instance=member)
        if form.is_valid():
            member.save(update_fields=ThemeForm.Meta.fields)
            messages.info(request, gettext("Your theme is saved."))
    if not form.is_valid():
        messages.info(request, gettext("Nothing was saved: %(error)s.") % {"error": error_text(form)})
    return _redirect(reverse("posts:dashboard"), member, "message")


@require_POST
@guarded
def discuss(request: HttpRequest) -> HttpResponse:
    """Open today's discussion of an insight, and go there."""
    creator = _creator_or_404(request, request.POST.get("person", ""))
    try:
        weeks = WeeksForm.weeks_of(request.POST)
        discussion = services.open_discussion(creator, request.POST.get("insight", ""), weeks=weeks)
    except InvalidInput as error:
        messages.info(request, gettext("There is nothing to discuss: %(error)s.") % {"error": error.message})
        return _redirect(reverse("posts:dashboard"), creator, "message")
    return _redirect(reverse("posts:discussion", args=[discussion.pk]), creator, "discussion")


@guarded
def discussion(request: HttpRequest, *, key: UUID) -> HttpResponse:
    """Show one discussion: an insight with its numbers, and the remarks. A POST adds a remark."""
    shown = get_object_or_404(Discussion.objects.select_related("creator"), pk=key)
    page.person_or_404(request, Posts, str(shown.creator_id))  # the creator of the posts that are discussed, or staff
    if request.method == "POST":
        name = _author_name(request, shown.creator)
        body = request.POST.get("body")
        _try(request, lambda: services.add_note(shown, body, account=request.user, written_by=name))
        return _redirect(reverse("posts:discussion", args=[shown.pk]), shown.creator, "discussion")
    context = {**_page_context(request, shown.creator), "discussion": shown, "notes": shown.notes.all()}
    return render(request, "posts/discussion.html", context)


@require_GET
@guarded
def read(request: HttpRequest, *, number: int) -> HttpResponse:
    """Show one post with its comments. A member who opens it from a shown list (`?request_id=`) has viewed it."""
    post = _post_or_404(number)
    member = _optional_member(request, request.GET.get("person", ""))
    if member is not None:
        services.record_view(member, post, request.GET.get("request_id"))
    replies = Prefetch("replies", Comment.objects.select_related("member"))
    threads = post.comments.filter(parent=None).select_related("member").prefetch_related(replies)
    context = {
        **_page_context(request, member),
        "post": post,
        "threads": threads[:MAX_SHOWN_COMMENTS],
        "active": services.toggles_of(member, post),
        "request_id": request.GET.get("request_id", ""),
    }
    return render(request, "posts/post.html", context)


@require_POST
@guarded
def act(request: HttpRequest, *, number: int) -> HttpResponse:
    """Like, bookmark or comment a post, or remove the like or bookmark; then show the post again."""
    post = _post_or_404(number)
    member = _visitor_or_404(request, request.POST.get("person", ""))
    action, body, parent, list_id = (request.POST.get(name) for name in ("action", "body", "parent", "request_id"))
    _try(request, lambda: services.act_on_post(member, post, action or "", body=body, parent=parent, request_id=list_id))
    return _redirect(reverse("posts:read", args=[post.pk]), member, "comments", request_id=list_id)


@require_GET
def picture(request: HttpRequest, *, category: str) -> HttpResponse:
    """Return the generated cover of a category; it is public, so caches may store it."""
    svg = theme.cover(category)
    if svg is None:
        raise Http404(page.NOT_FOUND)
    response = HttpResponse(svg, content_type="image/svg+xml")
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'none'"
    response["Cache-Control"] = "public, max-age=86400"
    return response


def _page_context(request: HttpRequest, member: Member | None) -> dict[str, Any]:
    message = " ".join(str(message) for message in messages.get_messages(request))
    return {"member": member, "message": message, "is_demo": page.is_demo()}


def _redirect(url: str, member: Member, anchor: str, *, request_id: str | None = None) -> HttpResponseRedirect:
    query = {"person": member.pk, **({"request_id": request_id} if request_id else {})}
    return HttpResponseRedirect(f"{url}?{urlencode(query)}#{anchor}", status=303)


def _try(request: HttpRequest, action: Callable[[], object]) -> None:
    """Run the action; if its input is invalid, show the reason on the next page."""
    try:
        action()
    except InvalidInput as error:
        messages.info(request, gettext("Nothing was saved: %(error)s.") % {"error": error.message})


def _post_or_404(number: int) -> Post:
    post: Post = get_object_or_404(Post.objects.published().select_related("author"), pk=number)
    return post


def _optional_member(request: HttpRequest, user_id: str) -> Member | None:
    """Return the member who reads; None for a visitor without one, since posts are public. Raises Http404 for a wrong id."""
    try:
        return _visitor_or_404(request, user_id)
    except Http404:
        if user_id:
            raise
        return None


def _visitor_or_404(request: HttpRequest, user_id: str) -> Member:
    """Return the member as whom the visitor sees a page: the named one, if they may see it, else their own."""
    member: Member = page.person_or_404(request, Posts, user_id or next(iter(page.visitor_ids(request, Posts)), ""))
    return member


def _creator_or_404(request: HttpRequest, user_id: str) -> Member:
    """Like `_visitor_or_404`; raises Http404 for a member who writes no posts."""
    member = _visitor_or_404(request, user_id)
    if not member.is_creator:
        raise Http404(page.NOT_FOUND)
    return member


def _author_name(request: HttpRequest, default: Member) -> str:
    """Return the name for the visitor's remark: their member's, their account's, or on a demo that of the chosen member."""
    ids = page.visitor_ids(request, Posts)
    if ids and str(default.pk) not in ids:
        return str(Member.objects.get(pk=ids[0]))
    if request.user.is_authenticated and not ids:
        return request.user.get_username()
    return default.name
