"""Material for trainers made in memory: the clubs site, whose right answer is known without running the code."""

import numpy as np

from recommendation_service.datasets.reader import Events
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.catalogue import Catalogue, Facet
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Profile
from recommendation_service.tests.support.exports import NOW, Happening, clubs
from recommendation_service.training.data import TrainingData
from recommendation_service.training.evaluation.evaluator import EvaluationUsers, build_evaluation_users
from recommendation_service.training.evaluation.splits import Split, time_split
from recommendation_service.training.user_histories import build_histories
from recommendation_service.use_cases.schema import Weighting

PLAIN = Weighting()
LIKE = 3.0


def material_of(
    records: list[ItemRecord],
    happenings: list[Happening],
    profiles: dict[str, dict[str, tuple[str, ...]]] | None = None,
    *,
    weight: dict[str, float] | None = None,
    weighting: Weighting = PLAIN,
) -> tuple[TrainingData, Events]:
    """Material and its events; `weight` by event name, `LIKE` for those it does not name."""
    known = profiles or {}
    items, users = IdMap.of(one.item_id for one in records), IdMap.of([*known, *(one.user_id for one in happenings)])
    by_id = {one.item_id: one for one in records}
    ordered = sorted(happenings, key=lambda one: one.time)
    names = tuple(sorted({one.event for one in ordered}))
    events = Events(
        users.rows([one.user_id for one in ordered]),
        items.rows([one.item_id for one in ordered]),
        np.array([(weight or {}).get(one.event, LIKE) for one in ordered], dtype=np.float32),
        np.array([one.time for one in ordered], dtype=np.float64),
        np.array([names.index(one.event) for one in ordered], dtype=np.int64),
        names,
    )
    rows = tuple(by_id[name] for name in items.ids())
    facets = {
        "category": Facet.build([[one.category] if one.category else [] for one in rows]),
        "tags": Facet.build([one.tags for one in rows]),
    }
    nothing = np.zeros(len(rows), dtype=np.float32)
    catalogue = Catalogue("startups", items, tuple(one.title for one in rows), nothing, nothing, facets)
    told: tuple[Profile, ...] = tuple(known.get(name, {}) for name in users.ids())
    histories = build_histories(events, len(users), len(items), weighting, NOW)
    return TrainingData(catalogue, rows, users, told, histories, NOW, events).as_of(events, weighting, NOW), events


def club_material(**sizes: int) -> tuple[TrainingData, Events]:
    """The clubs site as material."""
    return material_of(*clubs(**sizes))


def club_panel(**sizes: int) -> tuple[TrainingData, EvaluationUsers, Split]:
    """The clubs site cut 70/30 by time: material of the first part, panel of the second."""
    material, events = club_material(**sizes)
    split = time_split(events, (0.7, 0.3, 0.0))
    early = material.as_of(split.train, PLAIN, split.valid_start)
    return early, build_evaluation_users(early, split.valid, with_history=True), split
