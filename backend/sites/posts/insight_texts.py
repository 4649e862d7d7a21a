"""A report put in words: each insight is one sentence with its numbers, and nothing is said that was not counted."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sites.posts.insights import Figures, Report
from sites.posts.models import Post

Number = int | float | str | None
LEAST_VIEWS = 5  # of a post, before shares of its views are spoken of
LEAST_POSTS = 2  # with a tag, before the tag is spoken of
GOES_ON = ("like", "comment", "bookmark", "share")


@dataclass(frozen=True, slots=True)
class Insight:
    """One thing worth knowing; `slug` names its kind in every report."""

    slug: str
    title: str
    sentence: str
    numbers: dict[str, Number]

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {"insight": self.slug, "title": self.title, "sentence": self.sentence, "numbers": self.numbers}


def insights_of(report: Report) -> list[Insight]:
    """What can be said of this report, the most general first; never empty."""
    if not report.posts:
        told = "You have not published anything yet; the first post brings the first figures."
        return [Insight("no-posts", "No posts yet", told, {"posts": 0})]
    return [insight for say in SAYINGS for insight in say(report)]


def _views(report: Report) -> Iterator[Insight]:
    now, before = report.total.count("view"), report.total_before.count("view")
    told = f"Your posts were viewed {_times(now)} in {_span(report)}, {_against(now, before)}."
    yield Insight("views", "Views", told, {"views": now, "views_before": before, "change": _change(now, before)})


def _reach(report: Report) -> Iterator[Insight]:
    now, before = report.total, report.total_before
    if now.ctr is None:
        told = f"No list of recommendations showed one of your posts in {_span(report)}."
        yield Insight("reach", "Shown in recommendations", told, {"shown": 0})
        return
    earlier = "" if before.ctr is None else f"; before it was {_percent(before.ctr)}"
    told = (
        f"Recommendations showed your posts {_times(now.shown)}, and {now.opened} of these were opened: "
        f"{_percent(now.ctr)}{earlier}."
    )
    yield Insight("reach", "Shown in recommendations", told, {"shown": now.shown, "opened": now.opened, "ctr": _round(now.ctr)})


def _went_on(report: Report) -> Iterator[Insight]:
    now = report.total
    if not now.opened:
        return
    share = now.went_on / now.opened
    told = (
        f"Of {_many(now.opened, 'visit')} that came through recommendations, {now.went_on} went on to like, comment, "
        f"keep or share: {_percent(share)}."
    )
    yield Insight("through-recommendations", "What these readers did", told, {
        "opened": now.opened, "went_on": now.went_on, "share": _round(share),
    })  # fmt: skip


def _most_viewed(report: Report) -> Iterator[Insight]:
    post = max(report.posts, key=lambda one: report.now[one.pk].count("view"))
    views, likes, comments = (report.now[post.pk].count(event) for event in ("view", "like", "comment"))
    if not views:
        return
    answers = f"{_many(likes, 'like')}, {_many(comments, 'comment')}"
    told = f"“{post.title}” was read most: {_many(views, 'view')}, {answers}."
    numbers: dict[str, Number] = {"post": post.pk, "views": views, "likes": likes, "comments": comments}
    yield Insight("most-viewed", "Read most", told, numbers)


def _best_liked(report: Report) -> Iterator[Insight]:
    """By answers per view; a post that few have seen says little."""
    seen = [post for post in report.posts if report.now[post.pk].count("view") >= LEAST_VIEWS]
    if not seen:
        return
    post = max(seen, key=lambda one: _warmth(report.now[one.pk]))
    figures = report.now[post.pk]
    views, answers = figures.count("view"), sum(figures.count(event) for event in GOES_ON)
    told = (
        f"“{post.title}” moved its readers most: {_many(answers, 'answer')} (likes, comments, bookmarks, shares) "
        f"to {_many(views, 'view')}."
    )
    yield Insight("best-liked", "Moved most", told, {"post": post.pk, "views": views, "answers": answers})


def _tags(report: Report) -> Iterator[Insight]:
    """The tag whose posts are viewed most on average, beside the average of all."""
    by_tag: dict[str, list[Post]] = defaultdict(list)
    for post in report.posts:
        for tag in post.tags:
            by_tag[tag].append(post)
    means = {tag: _mean_views(report, posts) for tag, posts in by_tag.items() if len(posts) >= LEAST_POSTS}
    overall = _mean_views(report, report.posts)
    if not means or not overall:
        return
    tag = max(sorted(means), key=lambda one: means[one])
    told = (
        f"Your {_many(len(by_tag[tag]), 'post')} tagged {tag} had {means[tag]:.1f} views each in {_span(report)}; "
        f"all your posts had {overall:.1f}."
    )
    yield Insight("best-tag", "What works for you", told, {
        "tag": tag, "posts": len(by_tag[tag]), "views_each": _round(means[tag]), "views_each_overall": _round(overall),
    })  # fmt: skip


def _talk(report: Report) -> Iterator[Insight]:
    now, before = report.total.count("comment"), report.total_before.count("comment")
    if not now and not before:
        return
    told = f"Readers wrote {_many(now, 'comment')} in {_span(report)}, {_against(now, before)}."
    yield Insight("comments", "Talk", told, {"comments": now, "comments_before": before, "change": _change(now, before)})


SAYINGS: tuple[Callable[[Report], Iterator[Insight]], ...] = (
    _views, _reach, _went_on, _most_viewed, _best_liked, _tags, _talk,
)  # fmt: skip


def _warmth(figures: Figures) -> float:
    return sum(figures.count(event) for event in GOES_ON) / figures.count("view")


def _mean_views(report: Report, posts: "list[Post] | tuple[Post, ...]") -> float:
    return sum(report.now[post.pk].count("view") for post in posts) / len(posts)


def _span(report: Report) -> str:
    return "the last week" if report.weeks == 1 else f"the last {report.weeks} weeks"


def _against(now: int, before: int) -> str:
    """Such as "18% more than in the time before (50)"."""
    change = _change(now, before)
    if change is None:
        return "and not once in the time before"
    if not change:
        return f"as many as in the time before ({before})"
    return f"{abs(change):.0%} {'more' if change > 0 else 'less'} than in the time before ({before})"


def _change(now: int, before: int) -> float | None:
    """Relative change; None where there was nothing before."""
    return _round((now - before) / before) if before else None


def _times(count: int) -> str:
    return {0: "not once", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _round(value: float) -> float:
    return round(value, 4)
