"""Synthetic members with readable preferences, and posts over eighteen months."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from demo.synthetic.simulation import DAY_S, Floats, Ints, Rng, full_names, popularity, sample, stable_id
from demo.synthetic.vocabulary import Vocabulary, read_vocabulary
from sites.posts.models import Member, Post, PostType


class Topic(Vocabulary):
    """Words of one category."""

    tags: tuple[str, ...]
    audiences: tuple[str, ...]
    subjects: tuple[str, ...]


class PostVocabulary(Vocabulary):
    """Word lists of the blog."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    openings: tuple[str, ...]
    sentences: tuple[str, ...]
    comments: tuple[str, ...]
    titles: dict[str, tuple[str, ...]]
    topics: dict[str, Topic]


SITE = "posts"
VOCABULARY = read_vocabulary(SITE, PostVocabulary)
CATEGORIES = tuple(VOCABULARY.topics)
TAGS = tuple(sorted({tag for topic in VOCABULARY.topics.values() for tag in topic.tags}))
MONTHS_DAYS = 548  # eighteen months
FRESH_SHARE, FRESH_DAYS = 0.12, 30
DRAFT_SHARE, PLANNED_SHARE = 0.015, 0.01
TYPE_SHARES = {"blog": 0.42, "tutorial": 0.22, "question": 0.16, "news": 0.12, "showcase": 0.08}
TYPES = tuple(TYPE_SHARES)
COVER_SHARE = 0.8
CREATORS_SHARE = 0.09
NO_INTERESTS_SHARE = 0.3  # members who did not enter their interests
POPULARITY_EXPONENT = 0.9
WEIGHTS = {"category": 3.0, "tags": 2.0, "type": 0.8, "popularity": 0.55}


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one member likes to read."""

    categories: tuple[str, ...]
    tags: tuple[str, ...]
    type: str


@dataclass(frozen=True, slots=True)
class Library:
    """The posts; by post: index of its author, age in days at the end of the history, hidden popularity, all (n_posts,)."""

    posts: tuple[Post, ...]
    authors: Ints
    ages_days: Floats
    popularity: Floats


def make_members(rng: Rng, *, seed: int, users: int) -> list[tuple[Member, Preferences]]:
    """Make `users` members with their preferences; one in eleven is a creator, and creators come first."""
    creators = max(3, round(users * CREATORS_SHARE))
    members = []
    for number, name in enumerate(full_names(rng, VOCABULARY.first_names, VOCABULARY.last_names, users)):
        preferences = _preferences(rng)
        hides = number >= creators and rng.random() < NO_INTERESTS_SHARE
        interests = [] if hides else [*preferences.categories, *preferences.tags]
        key = stable_id(SITE, seed, "member", number)
        members.append((Member(id=key, name=name, interests=interests, is_creator=number < creators), preferences))
    return members


def make_library(rng: Rng, people: list[tuple[Member, Preferences]], *, items: int, until: datetime) -> Library:
    """Make `items` posts by the creators, who come first in `people`; each is mostly about what its author likes."""
    authors = [(member, preferences) for member, preferences in people if member.is_creator]
    activity = np.minimum(rng.pareto(1.5, size=len(authors)) + 0.3, 4.0)
    chosen = rng.choice(len(authors), size=items, p=activity / activity.sum())
    fresh = rng.random(items) < FRESH_SHARE
    ages = np.where(fresh, rng.uniform(0.05, FRESH_DAYS, items), rng.uniform(FRESH_DAYS, MONTHS_DAYS, items))
    ages = np.sort(np.where(rng.random(items) < PLANNED_SHARE, rng.uniform(-14, -1, items), ages))[::-1]
    posts, titles = [], set[str]()
    for number in range(items):
        post = _post(rng, number + 1, *authors[int(chosen[number])], titles)
        post.published_at = until - timedelta(seconds=int(ages[number] * DAY_S))
        posts.append(post)
    return Library(tuple(posts), chosen, ages, popularity(rng, items, POPULARITY_EXPONENT))


def interest_of(library: Library, preferences: Sequence[Preferences]) -> Floats:
    """Return (n_members, n_posts) how much each post interests each member, whatever its age."""
    categories = _indicators(([post.category] for post in library.posts), CATEGORIES)
    tags = _indicators((post.tags for post in library.posts), TAGS)
    types = _indicators(([post.type] for post in library.posts), TYPES)
    liked_categories = _indicators((liked.categories for liked in preferences), CATEGORIES)
    liked_tags = _indicators((liked.tags for liked in preferences), TAGS)
    liked_types = _indicators(([liked.type] for liked in preferences), TYPES)
    return (
        WEIGHTS["category"] * (liked_categories @ categories.T)
        + WEIGHTS["tags"] * (np.minimum(liked_tags @ tags.T, 2.0) / 2)
        + WEIGHTS["type"] * (liked_types @ types.T)
        + WEIGHTS["popularity"] * library.popularity
    )


def sentence_fields(rng: Rng, post: Post) -> dict[str, str]:
    """Draw the values that a sentence about this post may use."""
    topic, tag = VOCABULARY.topics[post.category], post.tags[0]
    other = post.tags[-1] if len(post.tags) > 1 else next(name for name in topic.tags if name != tag)
    subject, audience = str(rng.choice(topic.subjects)), str(rng.choice(topic.audiences))
    return {
        "tag": tag, "Tag": _capitalised(tag), "other": other, "people": audience, "matter": subject,
        "Matter": _capitalised(subject), "category": post.category,
    }  # fmt: skip


def _preferences(rng: Rng) -> Preferences:
    categories = sample(rng, CATEGORIES, int(rng.integers(1, 4)))
    likely = tuple(dict.fromkeys(tag for name in categories for tag in VOCABULARY.topics[name].tags))
    return Preferences(categories, sample(rng, likely, int(rng.integers(2, 5))), str(rng.choice(TYPES)))


def _post(rng: Rng, number: int, author: Member, liked: Preferences, titles: set[str]) -> Post:
    category = str(rng.choice(liked.categories if rng.random() < 0.9 else CATEGORIES))
    topic_tags = VOCABULARY.topics[category].tags
    author_tags = tuple(tag for tag in liked.tags if tag in topic_tags)
    tags = dict.fromkeys((*sample(rng, author_tags, 1), *sample(rng, topic_tags, int(rng.integers(1, 4)))))
    kind = str(rng.choice(TYPES, p=list(TYPE_SHARES.values())))
    post = Post(pk=number, type=PostType(kind), category=category, tags=list(tags), author=author)
    fields = sentence_fields(rng, post)
    post.title = _unused_title(str(rng.choice(VOCABULARY.titles[kind])).format(**fields), titles)
    post.excerpt = str(rng.choice(VOCABULARY.openings)).format(**fields)
    post.body = "\n\n".join([post.excerpt, *(line.format(**fields) for line in sample(rng, VOCABULARY.sentences, 4))])
    post.image = f"posts/{category.replace(' ', '-')}.svg" if rng.random() < COVER_SHARE else ""
    post.is_published = bool(rng.random() >= DRAFT_SHARE)
    return post


def _unused_title(title: str, titles: set[str]) -> str:
    """Return the title, with a part number if another post has it, and add it to `titles`."""
    unused, part = title, 2
    while unused in titles:
        unused, part = f"{title} (part {part})", part + 1
    titles.add(unused)
    return unused


def _indicators(rows: Iterable[Iterable[str]], names: tuple[str, ...]) -> Floats:
    """Return (n_rows, n_names) 1.0 where a row has the name."""
    return np.array([np.isin(names, list(row)) for row in rows], dtype=np.float64)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
