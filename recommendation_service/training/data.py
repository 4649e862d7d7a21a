"""What every trainer reads, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.datasets.reader import Dataset, Events
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.datasets.weighting import voices
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Profile
from recommendation_service.errors import ConfigurationError, DatasetError
from recommendation_service.publishing.manifest import Manifest
from recommendation_service.publishing.store import Artifact
from recommendation_service.training.user_histories import UserHistories, build_histories
from recommendation_service.use_cases.schema import Weighting


class NotEnough(DatasetError):
    """The export is fine but too small for this kind of model; nothing is published and the others go on."""

    code = "not_enough_data"


class ModelUnusable(ConfigurationError):
    """A ready-made model that the settings name cannot be opened; today's own model keeps serving and the others go on."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """One catalogue and everybody's past as of one moment."""

    catalogue: Catalogue
    records: tuple[ItemRecord, ...]  # in row order
    user_ids: IdMap
    profiles: tuple[Profile, ...]  # in user order
    histories: UserHistories
    now: float  # the moment the pasts are as of, epoch seconds
    events: Events  # what had happened by then, ascending in time
    keep_in: Path | None = None  # the catalogue's folder of exports, for work that must not be done twice; None: nowhere

    def as_of(self, events: Events, weighting: Weighting, now: float) -> "TrainingData":
        """The same site when only `events` had happened: pasts and popularity are theirs alone."""
        histories = build_histories(events, len(self.user_ids), len(self.catalogue), weighting, now)
        liked = histories.liked()
        popularity = np.bincount(liked.rows, weights=voices(liked.weights), minlength=len(self.catalogue)).astype(np.float32)
        catalogue = replace(self.catalogue, popularity=popularity)
        return replace(self, catalogue=catalogue, histories=histories, now=now, events=events)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """Arrays and parameters of one model, not yet published."""

    kind: str
    arrays: Mapping[str, AnyArray]
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any] = field(default_factory=dict)  # of models of pairs, which measure themselves
    warnings: tuple[str, ...] = ()

    def artifact(self, catalogue: str, version: str = "candidate") -> Artifact:
        """As an engine would load it, without touching the disk: for measuring before publishing."""
        manifest = Manifest(self.kind, catalogue, "", dict(self.parameters), {}, {}, {})
        return Artifact(f"{self.kind}_{version}", manifest, self.arrays)


def read_training_data(dataset: Dataset, events: Events, weighting: Weighting, now: float) -> TrainingData:
    """Everything of an export that trainers use, as of `now`."""
    catalogue = dataset.catalogue()
    histories = build_histories(events, len(dataset.user_ids), len(catalogue), weighting, now)
    records, profiles = tuple(dataset.records()), tuple(dataset.profiles())
    return TrainingData(catalogue, records, dataset.user_ids, profiles, histories, now, events, keep_in=dataset.folder.parent)
