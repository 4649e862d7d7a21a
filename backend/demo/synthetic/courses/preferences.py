"""Synthetic courses and learners with readable preferences, and how much each course interests each learner."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from demo.synthetic.simulation import Floats, Ints, Rng, full_names, popularity
from demo.synthetic.vocabulary import Vocabulary, read_vocabulary
from sites.courses.models import Course, Learner, Level


class Format(Vocabulary):
    """One way to teach a topic. `slug` is the end of the course's slug."""

    slug: str
    title: str
    summary: str
    level: Level
    hours: int


class CourseVocabulary(Vocabulary):
    """Word lists of the platform. `display_names` are of topics whose capitals cannot be derived."""

    goals: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    display_names: dict[str, str]
    formats: tuple[Format, ...]


VOCABULARY = read_vocabulary("courses", CourseVocabulary)
CATEGORIES = tuple(VOCABULARY.categories)
TOPICS = tuple((category, topic) for category, topics in VOCABULARY.categories.items() for topic in topics)
CATEGORY_OF = {topic: category for category, topic in TOPICS}
LEVELS = tuple(str(level) for level in Level.values)
ARTICLES = {Level.BEGINNER: "A", Level.INTERMEDIATE: "An", Level.ADVANCED: "An"}
UNPUBLISHED_SHARE = 0.02
POPULARITY_EXPONENT = 0.5
WEIGHTS = {"category": 2.4, "skill": 2.4, "level": 1.0}
OLDEST_DAYS = 900
DEMO = {  # the first learners: their preferences are fixed, so that a reader sees whether a list fits them
    1: (("python", "sql"), Level.BEGINNER, "change careers"),
    2: (("guitar", "songwriting"), Level.INTERMEDIATE, "learn for fun"),
    3: (("docker", "kubernetes"), Level.ADVANCED, "grow at work"),
    4: (("spanish",), Level.BEGINNER, "learn for fun"),
    5: (("portraits", "lighting"), Level.INTERMEDIATE, "start a business"),
    6: (("python",), Level.BEGINNER, "finish a degree"),
}


@dataclass(frozen=True, slots=True)
class CourseCatalogue:
    """The courses; by course: indices of its category, topic and level, and its hidden popularity."""

    courses: tuple[Course, ...]
    categories: Ints
    topics: Ints
    levels: Ints
    popularity: Floats

    def interest_of(self, learner: Learner) -> Floats:
        """Return (n_items,) how much each course interests this learner, popularity aside."""
        return np.asarray(
            WEIGHTS["category"] * np.isin(self.categories, [CATEGORIES.index(name) for name in learner.interests])
            + WEIGHTS["skill"] * self.teaches_wanted_skill(learner)
            + WEIGHTS["level"] * (self.levels == LEVELS.index(learner.level))
        )

    def teaches_wanted_skill(self, learner: Learner) -> Floats:
        """Return (n_items,) 1 where a course teaches a skill that this learner names: what a text match can find."""
        wanted = [row for row, (_, topic) in enumerate(TOPICS) if display_name(topic).lower() in learner.skills]
        return np.isin(self.topics, wanted).astype(np.float64)


def display_name(topic: str) -> str:
    """Return a topic as a title shows it: "machine_learning" is "Machine Learning"."""
    return VOCABULARY.display_names.get(topic, topic.replace("_", " ").title())


def make_catalogue(rng: Rng, *, items: int, until: datetime) -> CourseCatalogue:
    """Make `items` courses: every topic in the first format, then in the next; the first is always course_python_basic."""
    topics = np.arange(items) % len(TOPICS)
    courses = tuple(_course(rng, number, until) for number in range(items))
    return CourseCatalogue(
        courses,
        np.array([CATEGORIES.index(TOPICS[topic][0]) for topic in topics]),
        topics,
        np.array([LEVELS.index(course.level) for course in courses]),
        popularity(rng, items, POPULARITY_EXPONENT),
    )


def _course(rng: Rng, number: int, until: datetime) -> Course:
    round_, topic_index = divmod(number, len(TOPICS))
    edition, format_index = divmod(round_, len(VOCABULARY.formats))
    (category, topic), form = TOPICS[topic_index], VOCABULARY.formats[format_index]
    suffix = f" {edition + 1}" if edition else ""
    days = int(rng.integers(2, OLDEST_DAYS)) if number else OLDEST_DAYS
    neighbours = [name for name in VOCABULARY.categories[category] if name != topic]
    related = display_name(neighbours[int(rng.integers(len(neighbours)))])
    name = display_name(topic)
    return Course(
        slug=f"course_{topic}_{form.slug}{suffix.replace(' ', '_')}",
        title=form.title.format(name) + suffix,
        description=f"{form.summary.format(name)}. {ARTICLES[form.level]} {form.level} course in {category}"
        f" of {form.hours} hours, with a glance at {related}.",
        category=category,
        level=form.level.value,
        skills=[name.lower(), *([related.lower()] if rng.random() < 0.3 else [])],
        hours=form.hours,
        created=(until - timedelta(days=days)).date(),
        is_published=bool(number == 0 or rng.random() >= UNPUBLISHED_SHARE),
    )


def make_learners(rng: Rng, users: int) -> list[Learner]:
    """Make user1 to user<users>; the first few are those of DEMO."""
    names = full_names(rng, VOCABULARY.first_names, VOCABULARY.last_names, users)
    return [_learner(number, name, *(DEMO.get(number) or _preferences(rng))) for number, name in enumerate(names, start=1)]


def _preferences(rng: Rng) -> tuple[tuple[str, ...], Level, str]:
    """Draw one to three topics, most of them from one category, a level and a goal."""
    category = CATEGORIES[int(rng.integers(len(CATEGORIES)))]
    topics = [str(topic) for topic in rng.permutation(VOCABULARY.categories[category])[: int(rng.integers(1, 3))]]
    if rng.random() < 0.35:
        topics.append(TOPICS[int(rng.integers(len(TOPICS)))][1])
    level = Level(LEVELS[int(rng.choice(3, p=(0.5, 0.32, 0.18)))])
    return tuple(dict.fromkeys(topics)), level, VOCABULARY.goals[int(rng.integers(len(VOCABULARY.goals)))]


def _learner(number: int, name: str, topics: tuple[str, ...], level: Level, goal: str) -> Learner:
    return Learner(
        id=f"user{number}",
        name=name,
        interests=list(dict.fromkeys(CATEGORY_OF[topic] for topic in topics)),
        skills=[display_name(topic).lower() for topic in topics],
        level=level.value,
        goal=goal,
        is_demo=number in DEMO,
    )
