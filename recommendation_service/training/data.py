"""The input and the output of every trainer."""

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
    """The export is valid but too small for this kind of model. Nothing is published, and the other kinds continue."""

    code = "not_enough_data"


class ModelUnusable(ConfigurationError):
    """A ready-made model named in the settings cannot be opened. The published model stays, and other kinds continue."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """One catalogue, with the histories of all users at one point in time."""

    catalogue: Catalogue
    records: tuple[ItemRecord, ...]  # in row order
    user_ids: IdMap
    profiles: tuple[Profile, ...]  # in user order
    histories: UserHistories
    now: float  # the moment the pasts are as of, epoch seconds
    events: Events  # what had happened by then, ascending in time
    keep_in: Path | None = None  # the catalogue's folder of exports, for work that must not be done twice; None: nowhere

    def as_of(self, events: Events, weighting: Weighting, now: float) -> "TrainingData":
        """Return the data as if only `events` had happened: histories and popularity are made of them alone."""
        histories = build_histories(events, len(self.user_ids), len(self.catalogue), weighting, now)
        liked = histories.liked()
        popularity = np.bincount(liked.rows, weights=voices(liked.weights), minlength=len(self.catalogue)).astype(np.float32)
        catalogue = replace(self.catalogue, popularity=popularity)
        return replace(self, catalogue=catalogue, histories=histories, now=now, events=events)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """Arrays and parameters of one model that is not yet published."""

    kind: str
    arrays: Mapping[str, AnyArray]
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any] = field(default_factory=dict)  # of models of pairs, which measure themselves
    warnings: tuple[str, ...] = ()

    def artifact(self, catalogue: str, version: str = "candidate") -> Artifact:
        """Return the model as an engine would load it, without writing it, so that it can be measured before publishing."""
        manifest = Manifest(self.kind, catalogue, "", dict(self.parameters), {}, {}, {})
        return Artifact(f"{self.kind}_{version}", manifest, self.arrays)


def read_training_data(dataset: Dataset, events: Events, weighting: Weighting, now: float) -> TrainingData:
    """Return everything of an export that trainers use, as of `now` in Unix seconds."""
    catalogue = dataset.catalogue()
    histories = build_histories(events, len(dataset.user_ids), len(catalogue), weighting, now)
    records, profiles = tuple(dataset.records()), tuple(dataset.profiles())
    return TrainingData(catalogue, records, dataset.user_ids, profiles, histories, now, events, keep_in=dataset.folder.parent)
