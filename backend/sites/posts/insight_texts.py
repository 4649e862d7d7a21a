"""A report as text: each insight is one translated sentence with the numbers that it is made of."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from sites.posts.insights import Figures, Report
from sites.posts.models import Post

Number = int | float | str | None
MIN_VIEWS = 5  # of a post, before an insight uses shares of its views
MIN_POSTS = 2  # with a tag, before an insight names the tag
RESPONSES = ("like", "comment", "bookmark", "share")


@dataclass(frozen=True, slots=True)
class Insight:
    """One insight; `slug` is its kind, the same in every report."""

    slug: str
    title: str
    sentence: str
    numbers: dict[str, Number]


def insights_of(report: Report) -> list[Insight]:
    """Return the insights of a report, the most general first; at least one."""
    if not report.posts:
        sentence = gettext("You have not published anything yet; the first post brings the first figures.")
        return [Insight("no-posts", gettext("No posts yet"), sentence, {"posts": 0})]
    return [insight for insights in INSIGHTS for insight in insights(report)]


def _views(report: Report) -> Iterator[Insight]:
    now, before = report.total.count("view"), report.total_before.count("view")
    sentence = gettext("Your posts were viewed %(now)s in %(span)s, %(against)s.") % {
        "now": _times(now),
        "span": _span(report),
        "against": _against(now, before),
    }
    yield Insight("views", gettext("Views"), sentence, {"views": now, "views_before": before, "change": _change(now, before)})


def _reach(report: Report) -> Iterator[Insight]:
    now, before = report.total, report.total_before
    if now.ctr is None:
        sentence = gettext("No list of recommendations showed one of your posts in %(span)s.") % {"span": _span(report)}
        yield Insight("reach", gettext("Shown in recommendations"), sentence, {"shown": 0})
        return
    earlier = "" if before.ctr is None else gettext("; before it was %(ctr)s") % {"ctr": _percent(before.ctr)}
    sentence = gettext(
        "Recommendations showed your posts %(shown)s, and %(opened)s of these were opened: %(ctr)s%(earlier)s."
    ) % {"shown": _times(now.shown), "opened": now.opened, "ctr": _percent(now.ctr), "earlier": earlier}
    yield Insight(
        "reach",
        gettext("Shown in recommendations"),
        sentence,
        {"shown": now.shown, "opened": now.opened, "ctr": _round(now.ctr)},
    )


def _responses(report: Report) -> Iterator[Insight]:
    now = report.total
    if not now.opened:
        return
    share = now.went_on / now.opened
    sentence = gettext(
        "Of %(opened)s that came through recommendations, %(went_on)s led to a like, comment, bookmark or share: %(share)s."
    ) % {"opened": _visits(now.opened), "went_on": now.went_on, "share": _percent(share)}
    yield Insight("through-recommendations", gettext("What these readers did"), sentence, {
        "opened": now.opened, "went_on": now.went_on, "share": _round(share),
    })  # fmt: skip


def _most_viewed(report: Report) -> Iterator[Insight]:
    post = max(report.posts, key=lambda post: report.now[post.pk].count("view"))
    views, likes, comments = (report.now[post.pk].count(event) for event in ("view", "like", "comment"))
    if not views:
        return
    responses = f"{_likes(likes)}, {_comment_count(comments)}"
    sentence = gettext("“%(title)s” was read most: %(views)s, %(responses)s.") % {
        "title": post.title,
        "views": _view_count(views),
        "responses": responses,
    }
    numbers: dict[str, Number] = {"post": post.pk, "views": views, "likes": likes, "comments": comments}
    yield Insight("most-viewed", gettext("Read most"), sentence, numbers)


def _best_liked(report: Report) -> Iterator[Insight]:
    """By responses per view; posts with few views are left out."""
    seen = [post for post in report.posts if report.now[post.pk].count("view") >= MIN_VIEWS]
    if not seen:
        return
    post = max(seen, key=lambda post: _response_rate(report.now[post.pk]))
    figures = report.now[post.pk]
    views, responses = figures.count("view"), sum(figures.count(event) for event in RESPONSES)
    sentence = gettext(
        "“%(title)s” had the most responses for its views: %(responses)s (likes, comments, bookmarks, shares) to %(views)s."
    ) % {"title": post.title, "responses": _response_count(responses), "views": _view_count(views)}
    yield Insight("best-liked", gettext("Most responses"), sentence, {"post": post.pk, "views": views, "responses": responses})


def _tags(report: Report) -> Iterator[Insight]:
    """Compare the tag whose posts have the most views on average with the average of all posts."""
    by_tag: dict[str, list[Post]] = defaultdict(list)
    for post in report.posts:
        for tag in post.tags:
            by_tag[tag].append(post)
    means = {tag: _mean_views(report, posts) for tag, posts in by_tag.items() if len(posts) >= MIN_POSTS}
    overall = _mean_views(report, report.posts)
    if not means or not overall:
        return
    tag = max(sorted(means), key=means.__getitem__)
    sentence = gettext(
        "Your %(posts)s tagged %(tag)s had %(means)s views each in %(span)s; all your posts had %(overall)s."
    ) % {
        "posts": _posts(len(by_tag[tag])),
        "tag": tag,
        "means": f"{means[tag]:.1f}",
        "span": _span(report),
        "overall": f"{overall:.1f}",
    }
    yield Insight("best-tag", gettext("What works for you"), sentence, {
        "tag": tag, "posts": len(by_tag[tag]), "views_each": _round(means[tag]), "views_each_overall": _round(overall),
    })  # fmt: skip


def _comments(report: Report) -> Iterator[Insight]:
    now, before = report.total.count("comment"), report.total_before.count("comment")
    if not now and not before:
        return
    sentence = gettext("Readers wrote %(now)s in %(span)s, %(against)s.") % {
        "now": _comment_count(now),
        "span": _span(report),
        "against": _against(now, before),
    }
    yield Insight(
        "comments", gettext("Comments"), sentence, {"comments": now, "comments_before": before, "change": _change(now, before)}
    )


INSIGHTS: tuple[Callable[[Report], Iterator[Insight]], ...] = (
    _views, _reach, _responses, _most_viewed, _best_liked, _tags, _comments,
)  # fmt: skip


def _response_rate(figures: Figures) -> float:
    return sum(figures.count(event) for event in RESPONSES) / figures.count("view")


def _mean_views(report: Report, posts: "list[Post] | tuple[Post, ...]") -> float:
    return sum(report.now[post.pk].count("view") for post in posts) / len(posts)


def _span(report: Report) -> str:
    return ngettext("the last week", "the last %(weeks)s weeks", report.weeks) % {"weeks": report.weeks}


def _against(now: int, before: int) -> str:
    """Return a text such as "18% more than in the time before (50)"."""
    change = _change(now, before)
    if change is None:
        return gettext("and not once in the time before")
    if not change:
        return gettext("as many as in the time before (%(before)s)") % {"before": before}
    text = gettext("%(change)s more than in the time before (%(before)s)")
    if change < 0:
        text = gettext("%(change)s less than in the time before (%(before)s)")
    return text % {"change": f"{abs(change):.0%}", "before": before}


def _change(now: int, before: int) -> float | None:
    """Return the relative change; None if there was nothing before."""
    return _round((now - before) / before) if before else None


def _times(count: int) -> str:
    if count == 0:
        return gettext("not once")
    return gettext("twice") if count == 2 else ngettext("once", "%(count)s times", count) % {"count": count}


def _visits(count: int) -> str:
    return ngettext("%(count)s visit", "%(count)s visits", count) % {"count": count}


def _view_count(count: int) -> str:
    return ngettext("%(count)s view", "%(count)s views", count) % {"count": count}


def _likes(count: int) -> str:
    return ngettext("%(count)s like", "%(count)s likes", count) % {"count": count}


def _comment_count(count: int) -> str:
    return ngettext("%(count)s comment", "%(count)s comments", count) % {"count": count}


def _response_count(count: int) -> str:
    return ngettext("%(count)s response", "%(count)s responses", count) % {"count": count}


def _posts(count: int) -> str:
    return ngettext("%(count)s post", "%(count)s posts", count) % {"count": count}


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _round(value: float) -> float:
    return round(value, 4)
