"""The words that synthetic startups and people are made of, chosen so that a taste can be read off a list."""

from typing import NamedTuple


class Sector(NamedTuple):
    """A sector's vocabulary: first halves of names, what its startups do, and the skills they mostly want."""

    roots: tuple[str, ...]
    does: tuple[str, ...]
    skills: tuple[str, ...]


SECTORS: dict[str, Sector] = {
    "fintech": Sector(
        ("Ledger", "Coin", "Tally", "Vault", "Penny", "Credit"),
        (
            "settles invoices within a day",
            "turns spare change into savings",
            "scores small loans fairly",
            "spots payment fraud",
        ),
        ("python", "java", "postgresql", "statistics", "solidity", "kotlin"),
    ),
    "health": Sector(
        ("Pulse", "Vital", "Care", "Mend", "Clinic", "Nurse"),
        ("books the right doctor", "reads scans before the visit", "reminds of medicine", "follows recovery at home"),
        ("python", "pytorch", "computer-vision", "swift", "kotlin", "statistics"),
    ),
    "climate": Sector(
        ("Carbon", "Leaf", "Tide", "Sky", "Root", "Solar"),
        (
            "measures emissions per product",
            "forecasts solar power",
            "plans heat pumps street by street",
            "trades carbon removals",
        ),
        ("python", "statistics", "embedded", "go", "react", "rust"),
    ),
    "education": Sector(
        ("Learn", "Chalk", "Tutor", "Quiz", "Campus", "Study"),
        ("builds a lesson from any text", "pairs learners with tutors", "marks homework overnight", "teaches maths as a story"),
        ("react", "django", "python", "nlp", "ux-design", "typescript"),
    ),
    "logistics": Sector(
        ("Route", "Cargo", "Parcel", "Dock", "Fleet", "Harbour"),
        ("fills empty trucks", "predicts late parcels", "packs containers tighter", "plans rounds by bicycle"),
        ("go", "java", "postgresql", "kubernetes", "statistics", "aws"),
    ),
    "gaming": Sector(
        ("Pixel", "Quest", "Arcade", "Dragon", "Joystick", "Level"),
        ("makes worlds from sketches", "hosts weekend tournaments", "finds cheaters fairly", "turns walks into quests"),
        ("unity", "rust", "go", "computer-vision", "react", "ux-design"),
    ),
    "food": Sector(
        ("Spoon", "Kitchen", "Harvest", "Basil", "Oven", "Bread"),
        ("rescues unsold meals", "plans a week of dinners", "runs kitchens without waste", "brings village bakers to town"),
        ("react", "django", "swift", "kotlin", "seo", "ux-design"),
    ),
    "travel": Sector(
        ("Rail", "Nomad", "Compass", "Island", "Passport", "Trail"),
        ("plans trips without flying", "finds rooms on night trains", "guides walkers offline", "rebooks missed connections"),
        ("react", "typescript", "django", "seo", "swift", "aws"),
    ),
    "cybersecurity": Sector(
        ("Shield", "Cipher", "Lock", "Sentry", "Firewall", "Guard"),
        ("finds leaked passwords first", "tests defences every night", "signs every build", "teaches staff to spot phishing"),
        ("rust", "go", "kubernetes", "devops", "aws", "python"),
    ),
    "agriculture": Sector(
        ("Field", "Orchard", "Barn", "Soil", "Meadow", "Seedling"),
        ("waters only where it is dry", "counts fruit from the air", "spots sick plants early", "shares tractors"),
        ("embedded", "computer-vision", "pytorch", "python", "rust", "statistics"),
    ),
    "property": Sector(
        ("Brick", "Roof", "Attic", "Window", "Corner", "Tenant"),
        ("splits rent fairly", "finds homes near family", "plans repairs before leaks", "turns offices into flats"),
        ("django", "postgresql", "typescript", "react", "seo", "product-design"),
    ),
    "music": Sector(
        ("Tempo", "Chord", "Vinyl", "Echo", "Drum", "Melody"),
        ("finds rehearsal rooms", "pays musicians the same night", "separates any song into tracks", "teaches guitar by ear"),
        ("swift", "pytorch", "unity", "nlp", "typescript", "product-design"),
    ),
}
ENDINGS = (
    "loop", "nest", "works", "pilot", "base", "line", "hub", "mate", "flow", "spark", "yard", "bridge", "desk", "wise", "path",
    "port", "point", "stack", "craft", "circle",
)  # fmt: skip
AUDIENCES = (
    "small shops", "hospitals", "schools", "freelancers", "city councils", "families", "large manufacturers", "students",
)  # fmt: skip
FIRST_NAMES = (
    "Ada", "Amir", "Anika", "Bao", "Carla", "Chidi", "Dana", "Diego", "Elif", "Emil", "Farah", "Femi", "Grace", "Hana", "Hugo",
    "Ines", "Ivan", "Jonas", "June", "Kofi", "Lara", "Leo", "Lina", "Malik", "Mara", "Mei", "Milo", "Nadia", "Nils", "Noor",
    "Olga", "Omar", "Priya", "Rafa", "Rosa", "Sami", "Sofia", "Tariq", "Uma", "Vera", "Wei", "Yara", "Yusuf", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abbott", "Adeyemi", "Andersson", "Barros", "Becker", "Chen", "Costa", "Diallo", "Dubois", "Eriksen", "Fischer", "Garcia",
    "Haddad", "Hansen", "Ibrahim", "Ito", "Jensen", "Kaya", "Keller", "Kim", "Kowalski", "Larsen", "Lopez", "Mbeki", "Mehta",
    "Moreau", "Nakamura", "Nguyen", "Novak", "Okafor", "Olsen", "Park", "Patel", "Petrov", "Quinn", "Rossi", "Sato", "Schmidt",
    "Silva", "Tanaka", "Torres", "Ueda", "Varga", "Weber", "Yilmaz", "Zhang",
)  # fmt: skip
