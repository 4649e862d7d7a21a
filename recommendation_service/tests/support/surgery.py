"""Made-up sites for the doctor: two methods and a router, small enough to train in a second, and worlds known by heart."""

from pathlib import Path

import numpy as np

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.tests.support.exports import NOW, Happening, Profiles, write_export
from recommendation_service.use_cases.loader import load_file

SITE = """
name = "clinic"
catalogues = ["clinic"]
[events]
like = 3.0
dismiss = -3.0
[engines]
popular = { kind = "popularity" }
ease = { kind = "ease", training = { regularization = 30.0 } }
content = { kind = "content" }
[surfaces.home]
catalogue = "clinic"
router = { kind = "by_count", options = { cold = "popular", warm = "ease", hot = "ease", cold_below = 5, warm_below = 20 } }
fallback = ["ease", "content", "popular"]
[surfaces.similar]
catalogue = "clinic"
about = "item"
router = { kind = "fixed", options = { engine = "content" } }
fallback = ["content", "popular"]
rules = []
"""
LOVED, CLUBS, CLUB = 12, 4, 30  # items everybody comes to love, and clubs of items for those who know what they want
ITEMS = LOVED + CLUBS * CLUB
LATER = 20 * DAY_S  # the last two tenths of the events happen in it


def environment(root: Path) -> dict[str, str]:
    """The variables of a service that lives under `root` and has this one site."""
    (root / "sites").mkdir(exist_ok=True)
    (root / "sites" / "clinic.toml").write_text(SITE, encoding="utf-8")
    return {
        "RS_DATA_DIR": str(root / "data"),
        "RS_MODELS_DIR": str(root / "models"),
        "RS_USE_CASES_DIR": str(root / "sites"),
        "RS_USE_CASES": "",
        "RS_SIGNING_KEYS": "",
    }


def export_clinic(root: Path, happenings: list[Happening], *, items: int = ITEMS, profiles: Profiles | None = None) -> None:
    """Write an export of the site; the words of its items are lots, so that content is a method made of noise."""
    environment(root)
    rng = np.random.default_rng(9)
    words = [f"word{one}" for one in range(30)]
    records = [
        ItemRecord(f"i{row:03d}", f"Item {row}", " ".join(rng.choice(words, 4)), f"c{row % 3}", (f"t{row % 5}",), NOW - DAY_S)
        for row in range(items)
    ]
    use_case = load_file(root / "sites" / "clinic.toml")
    write_export(root / "data", use_case, records, happenings, profiles, now=NOW, catalogue="clinic")


def regulars_know(*, people: int = 150, seed: int = 0) -> list[Happening]:
    """People with 4 to 8 interactions tried this and that and come to what everybody loves; those with 12 or more stay in
    their club. So what goes with what helps from some 10 interactions on, and misleads below."""
    rng = np.random.default_rng(seed)
    found = []
    for person in range(people):
        tried = rng.choice(np.arange(LOVED, ITEMS), int(rng.integers(4, 9)), replace=False)
        found += _life(f"light{person:03d}", tried, rng.choice(LOVED, 2, replace=False), rng)
        club = LOVED + (person % CLUBS) * CLUB + rng.permutation(CLUB)
        found += _life(f"heavy{person:03d}", club[:14], club[14:20], rng)
        found += _life(f"early{person:03d}", rng.choice(LOVED, 5, replace=False), np.empty(0, dtype=np.int64), rng)
    return found


def by_lot(*, people: int = 300, seed: int = 0) -> list[Happening]:
    """Everybody takes anything at any time: there is nothing to know."""
    rng = np.random.default_rng(seed)
    found = []
    for person in range(people):
        own = rng.choice(ITEMS, int(rng.integers(5, 26)), replace=False)
        found += _life(f"p{person:03d}", own[:-3], own[-3:], rng)
    return found


def _life(user_id: str, past: np.ndarray, later: np.ndarray, rng: np.random.Generator) -> list[Happening]:
    """The past in the first days, and what came later in the last ones."""
    before = NOW - LATER - rng.uniform(0, 100 * DAY_S, len(past))
    after = NOW - rng.uniform(0, LATER, len(later))
    times = [*before, *after]
    return [Happening(user_id, f"i{row:03d}", "like", float(time)) for row, time in zip([*past, *later], times, strict=True)]
