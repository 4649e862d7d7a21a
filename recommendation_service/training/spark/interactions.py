"""The events of an export as Spark data frames, with the same weights as training on one machine.

Workers read the Parquet file of the export themselves, so its folder must be at the same path on all machines.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as sql

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.datasets.reader import Events
from recommendation_service.datasets.weighting import DAY_S, NO_DAY, UNKNOWN_AGE
from recommendation_service.domain.history import UNKNOWN_TIME
from recommendation_service.errors import DatasetError
from recommendation_service.training.evaluation.splits import MOST_MIDNIGHTS, reason_of
from recommendation_service.use_cases.schema import Weighting

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FILE = "two_tower_train.parquet"
QUANTILE_ERROR = 1e-4  # of the share of events in the training part
HASHES = 1_000_000
NONE_LEFT = "no positive interactions to split; record some, then export again"


def read_events(session: "SparkSession", folder: Path) -> "DataFrame":
    """Return every event: user, item (rows of the export), event, weight before decay, time in Unix seconds, place.

    The time is null where it is unknown. `place` is the row of the file, which has equal times in the order of arrival.
    """
    frame = session.read.parquet(f"file://{folder.resolve() / FILE}")
    return frame.select(
        sql.col("user_index").alias("user"),
        sql.col("item_index").alias("item"),
        "event",
        sql.col("weight").cast("double").alias("weight"),
        sql.col("timestamp").alias("time"),
        sql.col("_metadata.row_index").alias("place"),
    )


@dataclass(frozen=True, slots=True)
class Span:
    """The times of the positive events, in Unix seconds."""

    newest: float
    valid_start: float  # the newest tenth begins here
    share: float = 0.0  # of random parts: the share of users and items whose events train
    reason: str = ""  # why the parts are random; "": they are periods

    @property
    def method(self) -> str:
        """Return "by time", or "at random" with the reason."""
        return f"at random, because {self.reason}" if self.reason else "by time"

    def parts(self, events: "DataFrame") -> tuple["DataFrame", "DataFrame"]:
        """Return the events that train, and those that validate; an event whose time is unknown trains."""
        if self.reason:
            first = sql.pmod(sql.xxhash64("user", "item"), sql.lit(HASHES)) < self.share * HASHES
        else:
            first = sql.col("time").isNull() | (sql.col("time") < self.valid_start)
        return events.where(first), events.where(~first)


def span_of(events: "DataFrame", share: float) -> Span:
    """Return where the validation part begins: `share` of the positive events are older. Or why it is random instead.

    The border is exact to QUANTILE_ERROR of all events. Raises DatasetError without positive events.
    """
    positive = events.where(sql.col("weight") > 0)
    count, newest = positive.count(), events.agg(sql.max("time")).first()
    if not count or newest is None:
        raise DatasetError(NONE_LEFT)
    known = positive.where(sql.col("time").isNotNull())
    times, most = known.count(), known.groupBy("time").count().agg(sql.max("count")).first()
    of_day = known.select((sql.col("time") % DAY_S).alias("of_day")).distinct().limit(MOST_MIDNIGHTS + 1).toArrow()
    reason = reason_of(count, times, int(most[0] or 0) if most else 0, of_day.column("of_day").to_numpy())
    if reason:
        last = float(newest[0] or 0.0)
        return Span(last, last, share, reason)
    rank = min(1.0, (round(times * share) + 1) / times)
    return Span(float(newest[0]), float(known.stat.approxQuantile("time", [rank], QUANTILE_ERROR)[0]))


def tastes(events: "DataFrame", weighting: Weighting, now: float) -> "DataFrame":
    """Return one row per user and item that the user liked as of `now`: user, item, weight > 0.

    As `training.user_histories.build_histories`: repeats of a day count once, older events count less, sums are capped.
    """
    day = sql.coalesce(sql.floor(sql.col("time") / DAY_S), sql.lit(NO_DAY))
    once = events.groupBy("user", "item", "event", day.alias("day")).agg(
        sql.min(sql.struct("time", "place", "weight")).alias("first")
    )
    weight = sql.col("first.weight")
    if weighting.halving_days is not None:
        days = sql.greatest(sql.lit(now) - sql.col("first.time"), sql.lit(0.0)) / DAY_S
        age = sql.when(sql.col("first.time").isNull(), sql.lit(UNKNOWN_AGE)).otherwise(days / weighting.halving_days)
        weight = weight * sql.pow(sql.lit(2.0), -age)
    total = sql.sum(weight)
    if weighting.cap is not None:
        total = sql.least(total, sql.lit(weighting.cap))
    summed = once.groupBy("user", "item").agg(total.cast("float").alias("weight"))
    return summed.where(sql.col("weight") > 0)


def per_item(frame: "DataFrame", n_items: int) -> tuple[Floats, Ints]:
    """Return popularity and the number of rows of every item, (n_items,) each; each row is at most one voice."""
    voice = sql.least("weight", sql.lit(1.0))
    table = frame.groupBy("item").agg(sql.sum(voice).alias("popularity"), sql.count("*").alias("rows")).toArrow()
    rows = table.column("item").to_numpy()
    popularity, counts = np.zeros(n_items, dtype=np.float32), np.zeros(n_items, dtype=np.int64)
    popularity[rows], counts[rows] = table.column("popularity").to_numpy(), table.column("rows").to_numpy()
    return popularity, counts


def sample_of(late: "DataFrame", early: "DataFrame", most: int) -> Ints:
    """Return at most `most` user rows, ascending: of users with a taste in `early` and a positive event in `late`.

    Users are chosen by a hash of their row, so every run chooses the same ones.
    """
    both = late.where(sql.col("weight") > 0).select("user").distinct().join(early.select("user").distinct(), "user")
    chosen = both.orderBy(sql.xxhash64("user"), "user").limit(most).toArrow()
    return np.sort(chosen.column("user").to_numpy().astype(np.int64))


def events_of(session: "SparkSession", events: "DataFrame", users: Ints) -> Events:
    """Return all events of these users, in the order of the export; `users` of the result are indices into `users`."""
    wanted = session.createDataFrame([(int(user),) for user in users], "user int")
    table = events.join(sql.broadcast(wanted), "user").orderBy("place").toArrow()
    rows, items, weights, times = (table.column(name).to_numpy() for name in ("user", "item", "weight", "time"))
    kinds = table.column("event").combine_chunks().dictionary_encode()
    return Events(
        np.searchsorted(users, rows).astype(np.int64),
        items.astype(np.int64),
        weights.astype(np.float32),
        np.where(np.isnan(times), UNKNOWN_TIME, times),
        kinds.indices.to_numpy().astype(np.int64),
        tuple(kinds.dictionary.to_pylist()),
    )
