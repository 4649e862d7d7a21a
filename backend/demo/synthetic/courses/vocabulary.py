"""Words of which the synthetic courses and their learners are made."""

from typing import NamedTuple

from sites.courses.models import Level

CATEGORIES: dict[str, tuple[str, ...]] = {
    "programming": ("python", "javascript", "java", "go", "rust"),
    "data science": ("sql", "statistics", "machine_learning", "pandas", "spark"),
    "web": ("html", "react", "django", "accessibility", "typescript"),
    "cloud": ("linux", "docker", "kubernetes", "networking", "terraform"),
    "design": ("typography", "figma", "illustration", "user_research", "animation"),
    "business": ("accounting", "negotiation", "leadership", "strategy", "pricing"),
    "marketing": ("copywriting", "seo", "branding", "newsletters", "analytics"),
    "languages": ("spanish", "french", "german", "japanese", "portuguese"),
    "music": ("guitar", "piano", "singing", "songwriting", "mixing"),
    "photography": ("portraits", "landscapes", "lighting", "retouching", "street"),
}
SPOKEN = {"sql": "SQL", "seo": "SEO", "html": "HTML", "javascript": "JavaScript", "typescript": "TypeScript"}


class Form(NamedTuple):
    """One way to teach a topic."""

    word: str  # the end of the slug
    title: str
    says: str
    level: Level
    hours: int


FORMS: tuple[Form, ...] = (
    Form("basic", "{} Basics", "First steps in {}, with nothing assumed", Level.BEGINNER, 8),
    Form("advanced", "Advanced {}", "The harder half of {}, for those who use it every day", Level.ADVANCED, 24),
    Form("projects", "{} by Projects", "Five small projects that put {} to work", Level.INTERMEDIATE, 18),
    Form("weekend", "{} in a Weekend", "A short and friendly look at {}", Level.BEGINNER, 5),
    Form("mistakes", "Common Mistakes in {}", "What goes wrong in {} and how to see it early", Level.INTERMEDIATE, 6),
    Form("masterclass", "{} Masterclass", "A long, deep course on {} with a master of it", Level.ADVANCED, 40),
    Form("exercises", "{} Exercises", "A hundred exercises in {}, each with an answer", Level.BEGINNER, 14),
    Form("career", "A Career in {}", "How people earn a living with {}, and how to begin", Level.INTERMEDIATE, 10),
)
GOALS = ("change careers", "grow at work", "start a business", "learn for fun", "teach others", "finish a degree")
FIRST_NAMES = (
    "Ada", "Bela", "Chidi", "Dora", "Emil", "Fumi", "Goran", "Hana", "Ines", "Jonas", "Kemal", "Lena", "Mina", "Nils", "Olga",
    "Pedro", "Qadir", "Rosa", "Samir", "Tove", "Uri", "Vera", "Wen", "Xenia", "Yara", "Zeno",
)  # fmt: skip
LAST_NAMES = (
    "Alvarez", "Berg", "Cohen", "Dahl", "Evans", "Farouk", "Greco", "Horvat", "Iversen", "Joshi", "Khan", "Lund", "Mori",
    "Nowak", "Oyelaran", "Pires", "Quist", "Reyes", "Singh", "Tamm", "Ulrich", "Vidal", "Wolff", "Xu", "Yamada", "Zeller",
)  # fmt: skip


def spoken(topic: str) -> str:
    """A topic as a title says it: "machine_learning" is "Machine Learning"."""
    return SPOKEN.get(topic, topic.replace("_", " ").title())
