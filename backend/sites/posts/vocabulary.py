"""The words that synthetic posts are made of, chosen so that a taste can be read off a list."""

from typing import NamedTuple


class Topic(NamedTuple):
    """A category's vocabulary: its tags, whom its posts speak of, and what they are about."""

    tags: tuple[str, ...]
    people: tuple[str, ...]
    matters: tuple[str, ...]


TOPICS: dict[str, Topic] = {
    "python": Topic(
        ("typing", "testing", "asyncio", "django", "packaging", "pandas", "debugging"),
        ("maintainers", "beginners", "teams with old code"),
        ("a slow import", "a test that lies", "a decorator nobody understands", "the standard library"),
    ),
    "web": Topic(
        ("css", "accessibility", "htmx", "performance", "forms", "caching", "django"),
        ("front-end people", "small agencies", "readers on old phones"),
        ("a page that loads twice", "keyboard users", "a form of forty fields", "the back button"),
    ),
    "data": Topic(
        ("pandas", "sql", "statistics", "visualisation", "pipelines", "postgresql", "cleaning"),
        ("analysts", "people with one big table", "newsrooms"),
        ("missing values", "a chart that misleads", "a join that explodes", "a nightly load"),
    ),
    "machine learning": Topic(
        ("recommenders", "evaluation", "embeddings", "pytorch", "statistics", "fairness", "forecasting"),
        ("students", "teams of two", "sceptics"),
        ("a baseline that wins", "a leak from the future", "a metric nobody reads", "small data"),
    ),
    "devops": Topic(
        ("docker", "monitoring", "backups", "postgresql", "ci", "linux", "incidents"),
        ("people on call", "one-person teams", "newcomers to servers"),
        ("a full disk", "an alert at night", "a deploy on Friday", "the restore that was never tried"),
    ),
    "security": Topic(
        ("passwords", "privacy", "phishing", "backups", "cryptography", "linux", "incidents"),
        ("families", "small offices", "reviewers"),
        ("a leaked token", "an old router", "a too friendly mail", "the least privilege"),
    ),
    "design": Topic(
        ("typography", "colour", "accessibility", "prototypes", "layout", "icons", "forms"),
        ("makers without a designer", "shops", "museums"),
        ("a grid that breathes", "contrast in sunlight", "empty states", "one font"),
    ),
    "writing": Topic(
        ("documentation", "editing", "newsletters", "storytelling", "habits", "interviews", "publishing"),
        ("engineers who write", "first-time authors", "editors"),
        ("the first sentence", "a chapter that drags", "a changelog people read", "cutting half"),
    ),
    "photography": Topic(
        ("portraits", "street", "film", "light", "editing", "travel", "lenses"),
        ("beginners", "parents", "people with one lens"),
        ("window light", "a rainy street", "forty frames a month", "a contact sheet"),
    ),
    "cooking": Topic(
        ("bread", "fermenting", "vegetables", "soups", "spices", "budget", "baking"),
        ("students", "families of four", "night workers"),
        ("a cold oven", "yesterday's rice", "a stubborn sourdough", "salt at the right moment"),
    ),
    "travel": Topic(
        ("trains", "hiking", "budget", "cycling", "maps", "cities", "light"),
        ("slow travellers", "people who hate airports", "weekend walkers"),
        ("a night train", "a lost bag", "a trail in the fog", "one rucksack"),
    ),
    "fitness": Topic(
        ("running", "strength", "sleep", "habits", "cycling", "injuries", "hiking"),
        ("desk workers", "late starters", "tired parents"),
        ("the first five kilometres", "a stiff back", "rest days", "ten minutes a day"),
    ),
}
TITLES: dict[str, tuple[str, ...]] = {
    "blog": (
        "What a year of {tag} taught me about {matter}",
        "{Tag} for {people}, without the fuss",
        "I was wrong about {tag}",
        "{Matter}, seen through {tag}",
        "Small {tag} habits that lasted",
    ),
    "tutorial": (
        "{Tag} step by step: {matter}",
        "A first evening with {tag}",
        "{Tag} for {people}: a guide in seven parts",
        "From {matter} to calm: {tag} in practice",
    ),
    "question": (
        "How do you use {tag} against {matter}?",
        "Is {tag} worth it for {people}?",
        "Which {tag} advice would you never give again?",
    ),
    "news": (
        "This month in {category}: {tag}",
        "{Tag} meets {people}: notes from the spring meeting",
        "What changed in {tag} lately",
    ),
    "showcase": (
        "I built this for {people}: {tag} in a weekend",
        "Show and tell: {matter}, solved with {tag}",
        "Our {tag} project after six months",
    ),
}
OPENINGS = (
    "Notes on {tag} and {other} in {category}, written for {people}.",
    "Most advice on {tag} forgets {matter}; this one begins there.",
    "A short piece on {category}: {tag} first, {other} second, {matter} last.",
    "Written after one more evening with {matter}, for {people} who like {tag}.",
)
SENTENCES = (
    "Begin with {tag}, because everything else in {category} leans on it.",
    "The hard part is {matter}, and it gets easier once {other} is in place.",
    "We asked {people} what they would do differently; most said: less, and earlier.",
    "Measure before and after, and write the two numbers down where others find them.",
    "If {matter} is your daily worry, try {other} for two weeks and look again.",
    "None of this is new; what helps is doing it in this order.",
)
REMARKS = (
    "This helped with {matter}, thank you.",
    "I tried the part on {tag} last week and it holds.",
    "I see it differently: for {people} {tag} comes later.",
    "Could you say more on {matter}?",
    "Saved for the weekend. The bit on {tag} alone is worth it.",
)
FIRST_NAMES = (
    "Abeni", "Alma", "Anouk", "Arjun", "Asli", "Bela", "Bruno", "Callum", "Celia", "Dario", "Edda", "Emre", "Esme", "Fatou",
    "Felix", "Gita", "Henrik", "Idris", "Ilse", "Jada", "Jarek", "Kaito", "Katya", "Lamin", "Leila", "Luca", "Maren", "Mateo",
    "Mina", "Naomi", "Nico", "Oriol", "Paula", "Ravi", "Romy", "Selma", "Stella", "Tam", "Teo", "Ulla", "Viktor", "Wanda",
)  # fmt: skip
LAST_NAMES = (
    "Achebe", "Almeida", "Bauer", "Bianchi", "Castro", "Dahl", "Demir", "Egede", "Farkas", "Fontaine", "Gruber", "Hassan",
    "Holm", "Iversen", "Jansen", "Kato", "Khan", "Lindqvist", "Marek", "Mensah", "Mori", "Nyberg", "Oduya", "Ortiz", "Pham",
    "Ranta", "Reyes", "Sharma", "Soler", "Takeda", "Ursu", "Vogel", "Winter", "Young", "Zeman",
)  # fmt: skip
