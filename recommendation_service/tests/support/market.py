"""A small cleaning marketplace as matches, whose right answer is known without running the code."""

from collections.abc import Callable

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.domain.side import PairSide
from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.schema import PairConfig

KINDS = ("apartment", "house", "office")
BIDS = 4
NOW = 1_700_000_000.0
Rule = Callable[["World"], AnyArray]  # (jobs, BIDS)


def pair_config() -> PairConfig:
    """The cleaning marketplace's own."""
    found = load("cleaning").pairs
    assert found is not None
    return found


class World:
    """`jobs` jobs with four bids each; columns are (jobs, BIDS)."""

    def __init__(self, jobs: int, *, clients: int = 20, cleaners: int = 12, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        shape = (jobs, BIDS)
        self.rng, self.shape = rng, shape
        self.client = np.broadcast_to(rng.integers(clients, size=(jobs, 1)), shape)
        self.cleaner = np.stack([rng.choice(cleaners, size=BIDS, replace=False) for _ in range(jobs)])
        self.kind = np.broadcast_to(rng.integers(len(KINDS), size=(jobs, 1)), shape)
        self.hours = np.broadcast_to(rng.uniform(1, 6, size=(jobs, 1)), shape)
        self.quality = rng.uniform(40, 100, size=shape)
        self.bid = rng.uniform(15, 120, size=shape)

    def matches(self, rating: Rule, wanted: Rule | None = None) -> Matches:
        """Ratings (0 to 1) of the bid that is chosen: the one of the highest `wanted`, else one drawn by lot."""
        jobs = self.shape[0]
        wish = self.rng.random(self.shape) if wanted is None else wanted(self)
        chosen = wish == wish.max(axis=1, keepdims=True)
        marks = np.where(chosen, np.clip(rating(self), 0, 1), np.nan)
        numbers = {name: self.rng.normal(size=self.shape) for name in ("latitude", "longitude", "distance_km")}
        numbers |= {name: self.rng.uniform(0, 100, size=self.shape) for name in ("size_m2", "overall_score")}
        numbers |= {"hours": self.hours, "bid": self.bid, "quality_score": self.quality, "usual_rate": self.bid / self.hours}
        for name in ("communication_score", "professionalism_score", "timeliness_score", "average_rating", "total_jobs"):
            numbers[name] = self.rng.uniform(0, 10, size=self.shape)
        for name in ("eco_wanted", "completion_rate", "on_time_rate", "hour_of_day", "day_of_week"):
            numbers[name] = self.rng.random(self.shape)
        text_columns = {
            "property_type": np.array(KINDS)[self.kind],
            "left_owner": np.char.add("c", self.client.astype(np.str_)),
            "right_owner": np.char.add("w", self.cleaner.astype(np.str_)),
        }
        return Matches(
            names=tuple(numbers),
            numbers=np.stack([column.reshape(-1) for column in numbers.values()], axis=1).astype(np.float32),
            text_columns={name: column.reshape(-1) for name, column in text_columns.items()},
            groups=np.repeat(np.arange(jobs, dtype=np.int64), BIDS),
            times=np.repeat(NOW - 3600.0 * np.arange(jobs)[::-1], BIDS),
            ratings=marks.reshape(-1).astype(np.float32),
            chosen=chosen.reshape(-1),
            decided=np.ones(jobs * BIDS, dtype=np.bool_),
            verdicts=np.full(jobs * BIDS, np.nan, dtype=np.float32),
        )


def by_quality(world: World) -> AnyArray:
    """The better the cleaner's standing, the better the mark, whoever it is."""
    return (world.quality - 40) / 60


def by_persons(world: World) -> AnyArray:
    """Odd clients are pleased by odd cleaners and by no others, whatever their standing."""
    return np.where(world.client % 2 == world.cleaner % 2, 0.9, 0.2)


def network(*, clients: int = 3, cleaners: int = 3, alpha: float = 0.25, seed: int = 0) -> dict[str, AnyArray]:
    """The arrays of a network with random weights: clients c0, c1, ..., cleaners w0, w1, ..., two property types."""
    rng = np.random.default_rng(seed)
    ids = {"first_ids": ("c", clients), "second_ids": ("w", cleaners)}
    arrays: dict[str, AnyArray] = {
        name: np.array([b"", *(f"{letter}{one}".encode() for one in range(count))]) for name, (letter, count) in ids.items()
    }
    arrays["tokens"] = np.array([b"", b"property_type=apartment", b"property_type=house"])
    wide, many = 8, len(pair_config().features)
    shapes = {"first_vectors": (clients + 1, wide), "second_vectors": (cleaners + 1, wide), "token_vectors": (3, 4)}
    for half, width in (("collaborative", 2 * wide), ("content", many + 4)):
        for layer, (inputs, outputs) in enumerate([(width, 6), (6, 5), (5, 1)], start=1):
            shapes |= {f"{half}{layer}_weights": (inputs, outputs), f"{half}{layer}_bias": (outputs,)}
    arrays |= {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    arrays["feature_names"] = np.array([one.name.encode() for one in pair_config().features])
    arrays["feature_mean"] = rng.normal(size=many).astype(np.float32)
    arrays["feature_scale"] = rng.uniform(0.5, 2, size=many).astype(np.float32)
    return {**arrays, "alpha": np.array([alpha], dtype=np.float32)}


def told_features() -> dict[str, object]:
    """What a manifest says that a network reads."""
    return {
        "features": [one.model_dump() for one in pair_config().features],
        "embedding_columns": list(pair_config().embedding_columns),
    }


def job(**numbers: float) -> PairSide:
    """One job of client c0, in an apartment."""
    known = {"latitude": 37.98, "longitude": 23.73, "size_m2": 80.0, "hours": 4.0, "eco_wanted": 0.0, "budget": 90.0}
    known |= {"hour_of_day": 9.0, "day_of_week": 2.0, **numbers}
    return PairSide.of(["j1"], [known], [{"property_type": "apartment", "client_id": "c0"}])


def cleaners(count: int = 4, **numbers: float) -> PairSide:
    """Cleaners w0, w1, ..., each a little farther away and a little better than the one before."""
    known = [
        {"base_latitude": 37.98 + one / 100, "base_longitude": 23.73, "usual_rate": 15.0 + one, "overall_score": 50.0 + one}
        | {"quality_score": 50.0 + one, "average_rating": 7.0, "total_jobs": 10.0, **numbers}
        for one in range(count)
    ]
    return PairSide.of([f"w{one}" for one in range(count)], known, [{"primary_property_type": "apartment"}] * count)
