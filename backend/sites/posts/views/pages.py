"""The members' own pages: dashboard, theme, talks about insights, and a post with its comments. No JavaScript is needed."""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from recommendation_service.errors import InvalidInput
from sites.posts import interests, services, theme
from sites.posts.access import creator_or_404, name_of, require_may_discuss, visitor_or_404
from sites.posts.covers import cover
from sites.posts.discussions import add_note, discussion_or_404, open_discussion
from sites.posts.insight_texts import insights_of
from sites.posts.insights import MOST_WEEKS, WEEKS, clean_weeks, report_of
from sites.posts.models import FONT_SIZES, Comment, Discussion, Member, Post
from sites.posts.recommendation_sources import published
from storefront import permissions as page
from storefront.views import guarded

MOST_COMMENTS = 200
MOST_DISCUSSIONS = 10


@require_GET
@guarded
def dashboard(request: HttpRequest) -> HttpResponse:
    """A member's page: interests and looks; for a creator also what they learn of their readers."""
    member = visitor_or_404(request, request.GET.get("person", ""))
    weeks = _weeks(request)
    report = report_of(member, weeks=weeks) if member.is_creator else None
    talks = Discussion.objects.filter(creator=member)[:MOST_DISCUSSIONS] if member.is_creator else ()
    context = {
        **_frame(request, member),
        "report": report,
        "insights": insights_of(report) if report else (),
        "weeks": weeks,
        "most_weeks": MOST_WEEKS,
        "talks": talks,
        "posts": report.posts[:10] if report else (),
        "interests": ", ".join(member.interests),
        "known": interests.known_words(),
        "font_sizes": FONT_SIZES,
    }
    return render(request, "posts/dashboardhome.html", context)


@require_GET
@guarded
def stylesheet(request: HttpRequest, *, user_id: str) -> HttpResponse:
    """The member's colour and font size, for their own pages only."""
    member = visitor_or_404(request, user_id)
    return HttpResponse(theme.stylesheet(member), content_type="text/css; charset=utf-8")


@require_POST
@guarded
def change(request: HttpRequest, *, what: str) -> HttpResponse:
    """Store new interests or a new look, and go back to the dashboard."""
    member = visitor_or_404(request, request.POST.get("person", ""))
    try:
        if what == "interests":
            interests.set_interests(member, interests.split(request.POST.get("interests", "")))
        else:
            posted = request.POST
            theme.set_theme(member, accent_color=posted.get("accent_color"), font_size=posted.get("font_size"))
        messages.info(request, f"Your {what} {'are' if what == 'interests' else 'is'} saved.")
    except InvalidInput as error:
        messages.info(request, f"Nothing was saved: {error.message}.")
    return _to(reverse("posts:dashboard"), member, "said")


@require_POST
@guarded
def discuss(request: HttpRequest) -> HttpResponse:
    """Open today's talk about an insight, and go there."""
    creator = creator_or_404(request, request.POST.get("person", ""))
    try:
        talk = open_discussion(creator, request.POST.get("insight", ""), weeks=clean_weeks(request.POST.getlist("weeks")))
    except InvalidInput as error:
        messages.info(request, f"There is nothing to discuss: {error.message}.")
        return _to(reverse("posts:dashboard"), creator, "said")
    return _to(reverse("posts:discussion", args=[talk.pk]), creator, "talk")


@guarded
def discussion(request: HttpRequest, *, identity: UUID) -> HttpResponse:
    """One talk: an insight with its numbers, and what was said about it. A POST adds a remark."""
    talk = discussion_or_404(identity)
    require_may_discuss(request, talk)
    if request.method == "POST":
        _try(request, lambda: add_note(
            talk, request.POST.get("body"), account=request.user, written_by=name_of(request, talk.creator)
        ))  # fmt: skip
        return _to(reverse("posts:discussion", args=[talk.pk]), talk.creator, "talk")
    return render(request, "posts/discussion.html", {**_frame(request, talk.creator), "talk": talk, "notes": talk.notes.all()})


@require_GET
@guarded
def read(request: HttpRequest, *, number: int) -> HttpResponse:
    """One post with its comments. Opened by a member from a shown list (`?request_id=`), that counts as a view of it."""
    post = _post_or_404(number)
    member = _perhaps(request, request.GET.get("person", ""))
    if member is not None:
        services.viewed(member, post, request.GET.get("request_id"))
    replies = Prefetch("replies", Comment.objects.select_related("member"))
    threads = post.comments.filter(parent=None).select_related("member").prefetch_related(replies)
    context = {**_frame(request, member), "post": post, "threads": threads[:MOST_COMMENTS], "did": services.did(member, post)}
    return render(request, "posts/post.html", context)


@require_POST
@guarded
def did(request: HttpRequest, *, number: int) -> HttpResponse:
    """Like, keep, take either back, or comment; then the post again."""
    post = _post_or_404(number)
    member = visitor_or_404(request, request.POST.get("person", ""))
    _try(request, lambda: services.do(
        member, post, request.POST.get("deed", ""), body=request.POST.get("body"), parent=request.POST.get("parent")
    ))  # fmt: skip
    return _to(reverse("posts:read", args=[post.pk]), member, "comments")


@require_GET
def picture(request: HttpRequest, *, category: str) -> HttpResponse:
    """The drawn cover of a category: nobody's, so anybody may keep it."""
    drawn = cover(category)
    if drawn is None:
        raise Http404(page.NOT_FOUND)
    response = HttpResponse(drawn, content_type="image/svg+xml")
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'none'"
    response["Cache-Control"] = "public, max-age=86400"
    return response


def _frame(request: HttpRequest, member: Member | None) -> dict[str, object]:
    said = " ".join(str(message) for message in messages.get_messages(request))
    return {"member": member, "said": said, "is_demo": page.is_demo()}


def _weeks(request: HttpRequest) -> int:
    """As asked for; a page shows the usual span rather than an error."""
    try:
        return clean_weeks(request.GET.getlist("weeks"))
    except InvalidInput:
        return WEEKS


def _to(address: str, member: Member, place: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{address}?{urlencode({'person': member.pk})}#{place}", status=303)


def _try(request: HttpRequest, work: Callable[[], object]) -> None:
    """Do it, or say why not."""
    try:
        work()
    except InvalidInput as error:
        messages.info(request, f"Nothing was saved: {error.message}.")


def _post_or_404(number: int) -> Post:
    post = published().select_related("author").filter(pk=number).first()
    if post is None:
        raise Http404(page.NOT_FOUND)
    return post


def _perhaps(request: HttpRequest, user_id: str) -> Member | None:
    """The member as whom the visitor reads; None for a visitor who is nobody here: posts are public."""
    try:
        return visitor_or_404(request, user_id)
    except Http404:
        if user_id:
            raise
        return None
