"""A report as text: each insight is one sentence with the numbers that it is made of."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
        sentence = "You have not published anything yet; the first post brings the first figures."
        return [Insight("no-posts", "No posts yet", sentence, {"posts": 0})]
    return [insight for insights in INSIGHTS for insight in insights(report)]


def _views(report: Report) -> Iterator[Insight]:
    now, before = report.total.count("view"), report.total_before.count("view")
    sentence = f"Your posts were viewed {_times(now)} in {_span(report)}, {_against(now, before)}."
    yield Insight("views", "Views", sentence, {"views": now, "views_before": before, "change": _change(now, before)})


def _reach(report: Report) -> Iterator[Insight]:
    now, before = report.total, report.total_before
    if now.ctr is None:
        sentence = f"No list of recommendations showed one of your posts in {_span(report)}."
        yield Insight("reach", "Shown in recommendations", sentence, {"shown": 0})
        return
    earlier = "" if before.ctr is None else f"; before it was {_percent(before.ctr)}"
    sentence = (
        f"Recommendations showed your posts {_times(now.shown)}, and {now.opened} of these were opened: "
        f"{_percent(now.ctr)}{earlier}."
    )
    yield Insight(
        "reach", "Shown in recommendations", sentence, {"shown": now.shown, "opened": now.opened, "ctr": _round(now.ctr)}
    )


def _responses(report: Report) -> Iterator[Insight]:
    now = report.total
    if not now.opened:
        return
    share = now.went_on / now.opened
    sentence = (
        f"Of {_many(now.opened, 'visit')} that came through recommendations, {now.went_on} led to a like, comment, "
        f"bookmark or share: {_percent(share)}."
    )
    yield Insight("through-recommendations", "What these readers did", sentence, {
        "opened": now.opened, "went_on": now.went_on, "share": _round(share),
    })  # fmt: skip


def _most_viewed(report: Report) -> Iterator[Insight]:
    post = max(report.posts, key=lambda post: report.now[post.pk].count("view"))
    views, likes, comments = (report.now[post.pk].count(event) for event in ("view", "like", "comment"))
    if not views:
        return
    responses = f"{_many(likes, 'like')}, {_many(comments, 'comment')}"
    sentence = f"“{post.title}” was read most: {_many(views, 'view')}, {responses}."
    numbers: dict[str, Number] = {"post": post.pk, "views": views, "likes": likes, "comments": comments}
    yield Insight("most-viewed", "Read most", sentence, numbers)


def _best_liked(report: Report) -> Iterator[Insight]:
    """By responses per view; posts with few views are left out."""
    seen = [post for post in report.posts if report.now[post.pk].count("view") >= MIN_VIEWS]
    if not seen:
        return
    post = max(seen, key=lambda post: _response_rate(report.now[post.pk]))
    figures = report.now[post.pk]
    views, responses = figures.count("view"), sum(figures.count(event) for event in RESPONSES)
    sentence = (
        f"“{post.title}” had the most responses for its views: {_many(responses, 'response')} "
        f"(likes, comments, bookmarks, shares) to {_many(views, 'view')}."
    )
    yield Insight("best-liked", "Most responses", sentence, {"post": post.pk, "views": views, "responses": responses})


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
    sentence = (
        f"Your {_many(len(by_tag[tag]), 'post')} tagged {tag} had {means[tag]:.1f} views each in {_span(report)}; "
        f"all your posts had {overall:.1f}."
    )
    yield Insight("best-tag", "What works for you", sentence, {
        "tag": tag, "posts": len(by_tag[tag]), "views_each": _round(means[tag]), "views_each_overall": _round(overall),
    })  # fmt: skip


def _comments(report: Report) -> Iterator[Insight]:
    now, before = report.total.count("comment"), report.total_before.count("comment")
    if not now and not before:
        return
    sentence = f"Readers wrote {_many(now, 'comment')} in {_span(report)}, {_against(now, before)}."
    yield Insight(
        "comments", "Comments", sentence, {"comments": now, "comments_before": before, "change": _change(now, before)}
    )


INSIGHTS: tuple[Callable[[Report], Iterator[Insight]], ...] = (
    _views, _reach, _responses, _most_viewed, _best_liked, _tags, _comments,
)  # fmt: skip


def _response_rate(figures: Figures) -> float:
    return sum(figures.count(event) for event in RESPONSES) / figures.count("view")


def _mean_views(report: Report, posts: "list[Post] | tuple[Post, ...]") -> float:
    return sum(report.now[post.pk].count("view") for post in posts) / len(posts)


def _span(report: Report) -> str:
    return "the last week" if report.weeks == 1 else f"the last {report.weeks} weeks"


def _against(now: int, before: int) -> str:
    """Return a text such as "18% more than in the time before (50)"."""
    change = _change(now, before)
    if change is None:
        return "and not once in the time before"
    if not change:
        return f"as many as in the time before ({before})"
    return f"{abs(change):.0%} {'more' if change > 0 else 'less'} than in the time before ({before})"


def _change(now: int, before: int) -> float | None:
    """Return the relative change; None if there was nothing before."""
    return _round((now - before) / before) if before else None


def _times(count: int) -> str:
    return {0: "not once", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _round(value: float) -> float:
    return round(value, 4)
