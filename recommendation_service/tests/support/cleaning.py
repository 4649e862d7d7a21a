"""A small cleaning marketplace whose right answer is known: jobs and cleaners on one street, ids shared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from recommendation_service.datasets.reader import Dataset
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.publishing.store import Artifact
from recommendation_service.tests.support import market, service
from recommendation_service.tests.support.exports import NOW, Happening, write_export
from recommendation_service.use_cases.loader import load

JOBS, CLEANERS = 6, 12  # jobs j.. are "1" to "6", cleaners "1" to "12": every job's id is a cleaner's too
DEGREE_KM = 111.2
FOR_JOB = "/api/recommendations/cleaning/cleaners-for-job"
FOR_CLEANER = "/api/recommendations/cleaning/jobs-for-cleaner"


def job(number: int, **numbers: float) -> dict[str, Any]:
    """Job n lies 1 km further north than the one before and wants what cleaner n is known for."""
    known = {"latitude": 37.9 + number / DEGREE_KM, "longitude": 23.7, "size_m2": 80.0, "hours": 4.0, "eco_wanted": 0.0}
    known |= {"budget": 80.0, "hour_of_day": 9.0, "day_of_week": 2.0, **numbers}
    return {
        "id": str(number),
        "numbers": known,
        "text_columns": {"property_type": f"kind{number % 3}", "client_id": f"c{number}"},
    }


def cleaner(number: int, **numbers: float) -> dict[str, Any]:
    """Cleaner n lives where job n is; the higher the number the better the standing."""
    known = {"base_latitude": 37.9 + number / DEGREE_KM, "base_longitude": 23.7, "usual_rate": 12.0, "jobs_a_week": 10.0}
    known |= {"is_available": 1.0, "jobs_ahead": 0.0, "overall_score": 50.0 + 4 * number, "quality_score": 50.0 + 4 * number}
    known |= {"completion_rate": 0.9, "on_time_rate": 0.9, "total_jobs": 20.0, "average_rating": 8.0, **numbers}
    text_columns = {"primary_property_type": f"kind{number % 3}"}
    return {"item_id": str(number), "title": f"Cleaner {number}", "numbers": known, "text_columns": text_columns}


def offers(*numbers: int, **changed: float) -> list[dict[str, Any]]:
    """Cleaners as somebody brings them; not in the order of their ids."""
    return [cleaner(number, **changed) for number in numbers]


def export_cleaning(
    root: Path, *catalogues: str, sides: bool = True, tastes: bool = False, now: float = NOW
) -> dict[str, Dataset]:
    """Export these catalogues, or both; without `sides`, as a site that declares no columns.

    Everybody meets everything in turn, or, with `tastes`, five things of their own.
    """
    use_case = load("cleaning")
    records = {
        "cleaners": [_record(cleaner(number), "Cleaner", sides) for number in range(1, CLEANERS + 1)],
        "jobs": [_record(job(number), "Job", sides) for number in range(1, JOBS + 1)],
    }
    happenings = {
        "cleaners": _happenings("c", JOBS, CLEANERS, "view", now, tastes),
        "jobs": _happenings("k", CLEANERS, JOBS, "bid", now, tastes),
    }
    return {
        name: write_export(root / "data", use_case, records[name], happenings[name], now=now, catalogue=name)
        for name in catalogues or ("cleaners", "jobs")
    }


def publish_neural(root: Path, *, seed: int = 0, catalogue: str = "cleaners") -> Artifact:
    """A network with random weights that knows clients c0, c1, c2 and nobody of the cleaners."""
    return service.publish(root, "neural", market.network(seed=seed), catalogue)


def _happenings(letter: str, people: int, items: int, event: str, now: float, tastes: bool) -> list[Happening]:
    if tastes:
        met = [(person, 1 + (person + step) % items) for step in range(5) for person in range(20)]
    else:
        met = [(1 + step % people, 1 + step % items) for step in range(60)]
    return [
        Happening(f"{letter}{person}", str(item), event, now - 3600.0 * (len(met) - step))
        for step, (person, item) in enumerate(met)
    ]


def _record(told: Mapping[str, Any], word: str, sides: bool) -> ItemRecord:
    item_id = str(told.get("item_id", told.get("id")))
    record = ItemRecord(item_id, f"{word} {item_id}", created_at=NOW - 86_400.0)
    return replace(record, numbers=told["numbers"], text_columns=told["text_columns"]) if sides else record


def ids_of(answer: Mapping[str, Any]) -> Sequence[str]:
    return [one["item_id"] for one in answer["recommendations"]]
