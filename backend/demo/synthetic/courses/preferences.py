"""The synthetic catalogue and its learners: readable tastes, and how much each course suits each person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from demo.synthetic.courses.vocabulary import CATEGORIES, FIRST_NAMES, FORMS, GOALS, LAST_NAMES, spoken
from sites.courses.models import Course, Learner, Level

Floats = NDArray[np.float64]
Chance = np.random.Generator

TOPICS = tuple((category, topic) for category, topics in CATEGORIES.items() for topic in topics)
ARTICLES = {Level.BEGINNER: "A", Level.INTERMEDIATE: "An", Level.ADVANCED: "An"}
LEVELS = tuple(str(level) for level in Level.values)
UNPUBLISHED_SHARE = 0.02
POPULARITY_EXPONENT = 0.5  # Zipf: the r-th most attractive course draws r ** -0.5 as strongly as the first
PULL = {"category": 2.4, "skill": 2.4, "level": 1.0}
OLDEST_DAYS = 900
DEMO = {  # the first learners: what they like, so that a reader sees at once whether a list suits them
    1: (("python", "sql"), Level.BEGINNER, "change careers"),
    2: (("guitar", "songwriting"), Level.INTERMEDIATE, "learn for fun"),
    3: (("docker", "kubernetes"), Level.ADVANCED, "grow at work"),
    4: (("spanish",), Level.BEGINNER, "learn for fun"),
    5: (("portraits", "lighting"), Level.INTERMEDIATE, "start a business"),
    6: (("python",), Level.BEGINNER, "finish a degree"),
}


@dataclass(frozen=True, slots=True)
class Shelf:
    """The courses, and by place: category, topic and level as numbers, the hidden draw (log of the Zipf weight)."""

    courses: tuple[Course, ...]
    categories: NDArray[np.int64]
    topics: NDArray[np.int64]
    levels: NDArray[np.int64]
    draw: Floats

    def suits(self, learner: Learner) -> Floats:
        """(n_items,) how strongly each course draws this learner, popularity aside."""
        names = list(CATEGORIES)
        liked = [names.index(name) for name in learner.interests]
        wanted = [place for place, (_, topic) in enumerate(TOPICS) if spoken(topic).lower() in learner.skills]
        return np.asarray(
            PULL["category"] * np.isin(self.categories, liked)
            + PULL["skill"] * np.isin(self.topics, wanted)
            + PULL["level"] * (self.levels == LEVELS.index(learner.level))
        )

    def mentions(self, learner: Learner) -> Floats:
        """(n_items,) 1 where a course teaches what this learner says they want to learn: all that words can tell."""
        wanted = [place for place, (_, topic) in enumerate(TOPICS) if spoken(topic).lower() in learner.skills]
        return np.isin(self.topics, wanted).astype(np.float64)


def stable_id(seed: int, kind: str, number: int) -> UUID:
    """The same id for the same seed, whatever the day or the machine."""
    return uuid5(NAMESPACE_URL, f"tandem/courses/{seed}/{kind}/{number}")


def make_shelf(rng: Chance, *, items: int, until: datetime) -> Shelf:
    """`items` courses: every topic in its first form, then in the next; course_python_basic is always the first."""
    places = np.arange(items)
    topics = places % len(TOPICS)
    courses = tuple(_course(rng, int(number), until) for number in places)
    names = list(CATEGORIES)
    return Shelf(
        courses,
        np.array([names.index(TOPICS[topic][0]) for topic in topics]),
        topics,
        np.array([LEVELS.index(course.level) for course in courses]),
        -POPULARITY_EXPONENT * np.log(rng.permutation(items) + 1.0),
    )


def _course(rng: Chance, number: int, until: datetime) -> Course:
    turn, topic_place = divmod(number, len(TOPICS))
    edition, form_place = divmod(turn, len(FORMS))
    (category, topic), form = TOPICS[topic_place], FORMS[form_place]
    again = f" {edition + 1}" if edition else ""
    days = int(rng.integers(2, OLDEST_DAYS)) if number else OLDEST_DAYS
    neighbours = [name for name in CATEGORIES[category] if name != topic]
    also = neighbours[int(rng.integers(len(neighbours)))]
    return Course(
        slug=f"course_{topic}_{form.word}{again.replace(' ', '_')}",
        title=form.title.format(spoken(topic)) + again,
        description=f"{form.says.format(spoken(topic))}. {ARTICLES[form.level]} {form.level} course in {category}"
        f" of {form.hours} hours,"
        f" with a glance at {spoken(also)}.",
        category=category,
        level=form.level.value,
        skills=[spoken(topic).lower(), *([spoken(also).lower()] if rng.random() < 0.3 else [])],
        hours=form.hours,
        created=(until - timedelta(days=days)).date(),
        is_published=bool(number == 0 or rng.random() >= UNPUBLISHED_SHARE),
    )


def make_learners(rng: Chance, users: int) -> list[Learner]:
    """user1 to user<users>; the first few are those of DEMO."""
    names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    order = rng.permutation(len(names))
    made = []
    for number in range(1, users + 1):
        turn, place = divmod(number - 1, len(names))
        name = names[int(order[place])] + (f" {turn + 1}" if turn else "")
        topics, level, goal = DEMO.get(number) or _taste(rng)
        made.append(_learner(number, name, topics, level, goal))
    return made


def _taste(rng: Chance) -> tuple[tuple[str, ...], Level, str]:
    """One to three topics, most of them of one category."""
    category = list(CATEGORIES)[int(rng.integers(len(CATEGORIES)))]
    own = [str(topic) for topic in rng.permutation(CATEGORIES[category])[: int(rng.integers(1, 3))]]
    if rng.random() < 0.35:
        own.append(TOPICS[int(rng.integers(len(TOPICS)))][1])
    level = Level(LEVELS[int(rng.choice(3, p=(0.5, 0.32, 0.18)))])
    return tuple(dict.fromkeys(own)), level, GOALS[int(rng.integers(len(GOALS)))]


def _learner(number: int, name: str, topics: tuple[str, ...], level: Level, goal: str) -> Learner:
    of = {topic: category for category, topic in TOPICS}
    return Learner(
        id=f"user{number}",
        name=name,
        interests=list(dict.fromkeys(of[topic] for topic in topics)),
        skills=[spoken(topic).lower() for topic in topics],
        level=level.value,
        goal=goal,
        is_demo=number in DEMO,
    )
