"""Who is there and what they wrote: synthetic members with readable tastes, and posts over eighteen months."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from sites.posts.models import Member, Post, PostType
from sites.posts.vocabulary import FIRST_NAMES, LAST_NAMES, OPENINGS, SENTENCES, TITLES, TOPICS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Chance = np.random.Generator

MONTHS_DAYS = 548  # eighteen months
FRESH_SHARE, FRESH_DAYS = 0.12, 30
DRAFT_SHARE, PLANNED_SHARE = 0.015, 0.01
TYPE_SHARES = {"blog": 0.42, "tutorial": 0.22, "question": 0.16, "news": 0.12, "showcase": 0.08}
COVER_SHARE = 0.8
AUTHORS_SHARE = 0.09
SILENT_SHARE = 0.3  # members who never said what they like
POPULARITY_EXPONENT = 0.9  # Zipf: the r-th most attractive post draws r ** -0.9 as strongly as the first
PULL = {"category": 3.0, "tags": 2.0, "type": 0.8, "popularity": 0.55}
NAMES = tuple(TOPICS)
TAGS = tuple(sorted({tag for topic in TOPICS.values() for tag in topic.tags}))


@dataclass(frozen=True, slots=True)
class Taste:
    """What one member likes to read."""

    categories: tuple[str, ...]
    tags: tuple[str, ...]
    type: str


@dataclass(frozen=True, slots=True)
class Library:
    """Posts, when each came out in days before the end of the past, and each one's hidden draw; all (n_posts,)."""

    posts: tuple[Post, ...]
    ages_days: Floats
    draw: Floats


def stable_id(seed: int, kind: str, number: int) -> UUID:
    """The same id for the same seed, whatever the day or the machine."""
    return uuid5(NAMESPACE_URL, f"tandem/posts/{seed}/{kind}/{number}")


def make_members(rng: Chance, *, seed: int, users: int) -> list[tuple[Member, Taste]]:
    """`users` members with their tastes; one in eleven is a creator, and those come first."""
    names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    order = rng.permutation(len(names))
    creators = max(3, round(users * AUTHORS_SHARE))
    made = []
    for number in range(users):
        round_, place = divmod(number, len(names))
        name = names[int(order[place])] + (f" {round_ + 1}" if round_ else "")
        taste = _taste(rng)
        said = [] if number >= creators and rng.random() < SILENT_SHARE else [*taste.categories, *taste.tags]
        member = Member(id=stable_id(seed, "member", number), name=name, interests=said, is_creator=number < creators)
        made.append((member, taste))
    return made


def make_library(rng: Chance, people: list[tuple[Member, Taste]], *, items: int, until: datetime) -> Library:
    """`items` posts by the creators, each mostly about what its author likes."""
    authors = [(member, taste) for member, taste in people if member.is_creator]
    eagerness = np.minimum(rng.pareto(1.5, size=len(authors)) + 0.3, 4.0)
    chosen = rng.choice(len(authors), size=items, p=eagerness / eagerness.sum())
    fresh = rng.random(items) < FRESH_SHARE
    ages = np.where(fresh, rng.uniform(0.05, FRESH_DAYS, items), rng.uniform(FRESH_DAYS, MONTHS_DAYS, items))
    ages = np.sort(np.where(rng.random(items) < PLANNED_SHARE, rng.uniform(-14, -1, items), ages))[::-1]
    posts, taken = [], set[str]()
    for number in range(items):
        author, taste = authors[int(chosen[number])]
        post = _post(rng, number + 1, author, taste, taken)
        post.published_at = until - timedelta(seconds=int(ages[number] * 86_400))
        posts.append(post)
    ranks = rng.permutation(items) + 1.0
    return Library(tuple(posts), ages, -POPULARITY_EXPONENT * np.log(ranks))


def pull_of(library: Library, tastes: list[Taste]) -> Floats:
    """(n_members, n_posts) how strongly each post draws each member, whatever its age."""
    category = _marks([[post.category] for post in library.posts], NAMES)
    tags = _marks([post.tags for post in library.posts], TAGS)
    kinds = _marks([[post.type] for post in library.posts], tuple(TYPE_SHARES))
    liked_categories = _marks([taste.categories for taste in tastes], NAMES)
    liked_tags = _marks([taste.tags for taste in tastes], TAGS)
    liked_kinds = _marks([[taste.type] for taste in tastes], tuple(TYPE_SHARES))
    shared = np.minimum(liked_tags @ tags.T, 2.0) / 2
    return (
        PULL["category"] * (liked_categories @ category.T)
        + PULL["tags"] * shared
        + PULL["type"] * (liked_kinds @ kinds.T)
        + PULL["popularity"] * library.draw
    )


def words_of(rng: Chance, post: Post) -> dict[str, str]:
    """The words that a sentence about this post may use."""
    topic = TOPICS[post.category]
    tag = post.tags[0]
    other = post.tags[-1] if len(post.tags) > 1 else next(one for one in topic.tags if one != tag)
    matter, people = str(rng.choice(topic.matters)), str(rng.choice(topic.people))
    return {
        "tag": tag, "Tag": _capital(tag), "other": other, "people": people, "matter": matter, "Matter": _capital(matter),
        "category": post.category,
    }  # fmt: skip


def _taste(rng: Chance) -> Taste:
    categories = _some(rng, NAMES, int(rng.integers(1, 4)))
    likely = tuple(dict.fromkeys(tag for name in categories for tag in TOPICS[name].tags))
    return Taste(categories, _some(rng, likely, int(rng.integers(2, 5))), str(rng.choice(list(TYPE_SHARES))))


def _post(rng: Chance, number: int, author: Member, taste: Taste, taken: set[str]) -> Post:
    category = str(rng.choice(taste.categories if rng.random() < 0.9 else NAMES))
    own = tuple(tag for tag in taste.tags if tag in TOPICS[category].tags)
    tags = tuple(dict.fromkeys((*_some(rng, own, 1), *_some(rng, TOPICS[category].tags, int(rng.integers(1, 4))))))
    kind = str(rng.choice(list(TYPE_SHARES), p=list(TYPE_SHARES.values())))
    post = Post(pk=number, type=PostType(kind), category=category, tags=list(tags), author=author)
    words = words_of(rng, post)
    post.title = _title(rng, kind, words, taken)
    post.excerpt = str(rng.choice(OPENINGS)).format(**words)
    post.body = "\n\n".join([post.excerpt, *(line.format(**words) for line in _some(rng, SENTENCES, 4))])
    post.image = f"posts/{category.replace(' ', '-')}.svg" if rng.random() < COVER_SHARE else ""
    post.is_published = bool(rng.random() >= DRAFT_SHARE)
    return post


def _title(rng: Chance, kind: str, words: dict[str, str], taken: set[str]) -> str:
    """A title that no post has yet; a series gets parts."""
    title = str(rng.choice(TITLES[kind])).format(**words)
    fresh, part = title, 2
    while fresh in taken:
        fresh, part = f"{title} (part {part})", part + 1
    taken.add(fresh)
    return fresh


def _marks(rows: Any, words: tuple[str, ...]) -> Floats:
    place = {word: at for at, word in enumerate(words)}
    marks = np.zeros((len(rows), len(words)))
    for at, row in enumerate(rows):
        marks[at, [place[word] for word in row]] = 1.0
    return marks


def _some(rng: Chance, words: tuple[str, ...], count: int) -> tuple[str, ...]:
    chosen: Any = rng.choice(len(words), size=min(count, len(words)), replace=False) if words else ()
    return tuple(words[int(place)] for place in chosen)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
