"""Protocols: how a log of interactions is divided into a training part, a validation part and a test part.

`next-item` tests with the last item of each user and validates with the item before it. `ncf` does the same, and ranks
the test item among 99 items that the user has no interaction with (He et al. 2017). `time` divides the positive ratings
80/10/10 by two points in time, and `random` divides them 80/10/10 at random. `holdout` reads the test part from a file.
All protocols but `ncf` rank every item that the user has no interaction with.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Ints
from recommendation_service.datasets.interaction_files.log import Log, read_log
from recommendation_service.datasets.reader import Events
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.idmap import IdMap
from recommendation_service.errors import DatasetError
from recommendation_service.training.data import TrainingData
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.user_histories import build_histories
from recommendation_service.use_cases.schema import Weighting

PLAIN = Weighting()
GOOD = 0.8  # of the best rating: 4 of 5, 8 of 10
BEST_RATING = 100.0  # values above it count something
FEW = 0.05  # share of good ones below which values are no ratings: of counts, hardly any comes near the largest
NEGATIVES = 99
SHARES = (0.8, 0.9)
HIDDEN_SHARE = 0.1  # of everybody's training items, to choose settings on where there is a test file
AT_ONCE = 500  # people whose scores are in memory together


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationTask:
    """Users to measure, the relevant items of each, and the items to rank. Matrices are made in batches, to limit memory."""

    material: TrainingData  # as of the moment they are asked at
    users: Ints  # (p,)
    relevant: sparse.csr_array  # (p, n_items) of 1
    among: Ints | None = None  # (p, c) the only items ranked; None: everything not touched before

    def __len__(self) -> int:
        return int(self.users.size)

    def panels(self, at_once: int = AT_ONCE) -> Iterator[EvaluationUsers]:
        """Yield the same users in groups of at most `at_once` users."""
        for start in range(0, len(self), at_once):
            yield self.panel(np.arange(start, min(start + at_once, len(self))))

    def panel(self, positions: Ints) -> EvaluationUsers:
        """Return the evaluation data of these users."""
        users = self.users[positions]
        seen = self.material.histories.matrix()[users]
        seen.data = np.ones_like(seen.data)
        eligible: Bools = np.asarray(seen.toarray() == 0)
        if self.among is not None:
            chosen = np.zeros_like(eligible)
            np.put_along_axis(chosen, self.among[positions], values=True, axis=1)
            eligible &= chosen
        return EvaluationUsers(self.material, users, sparse.csr_array(self.relevant[positions]), eligible)

    def some(self, most: int) -> EvaluationUsers:
        """Return at most this many of the users, evenly distributed over the rows."""
        return self.panel(np.unique(np.linspace(0, len(self) - 1, min(most, len(self))).astype(np.int64)))


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One protocol applied to one log: what is known, the validation users and the test users."""

    protocol: str
    k: int
    valid: EvaluationTask  # settings and weights are chosen on these
    test: EvaluationTask  # measured once
    notes: tuple[str, ...] = ()


def task_of(protocol: str, train: Path, test: Path | None, *, seed: int = 0) -> Task:
    """Return the task of a protocol and its files. Raises DatasetError that names what is missing."""
    if protocol == "holdout":
        if test is None:
            raise DatasetError("holdout needs --test FILE: one line a user, the items that were held out")
        return _holdout(train, test, seed)
    if train.suffix == ".npz":
        return _bundle(protocol, train)
    log = read_log(train)
    makers: Mapping[str, Callable[[Log, int], Task]] = {"next-item": _next_item, "ncf": _ncf, "time": _time, "random": _random}
    return makers[protocol](log, seed)


def material_of(log: Log) -> TrainingData:
    """Return users and items of a log, without any interaction."""
    ids = log.item_ids.ids()
    nothing = np.zeros(len(ids), dtype=np.float32)
    catalogue = Catalogue("log", log.item_ids, tuple(ids), nothing, np.full(len(ids), np.nan, dtype=np.float32))
    records = tuple(ItemRecord(item_id, item_id) for item_id in ids)
    rows, weights = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    none = Events(rows, rows, weights, np.empty(0, dtype=np.float64))
    histories = build_histories(none, len(log.user_ids), len(ids), PLAIN, 0.0)
    return TrainingData(catalogue, records, log.user_ids, ({},) * len(log.user_ids), histories, 0.0, none)


def _knowing(material: TrainingData, log: Log, mask: Bools) -> TrainingData:
    """Return the training data as of the end of these events."""
    events = Events(
        log.users[mask], log.items[mask], np.ones(int(mask.sum()), dtype=np.float32), log.times[mask].astype(np.float64)
    )
    if not len(events.times):
        raise DatasetError("nothing is left to learn from; this file is too small for the protocol")
    return material.as_of(events, PLAIN, float(events.times.max()))


def _next_item(log: Log, _seed: int) -> Task:
    log, repeats = _once(log)
    last, before = _last_two(log)
    none = np.zeros(len(log), dtype=np.bool_)
    for positions in (last, before):
        none[positions] = True
    base = material_of(log)
    early, late = _knowing(base, log, ~none), _knowing(base, log, _all_but(log, last))
    notes = (f"{repeats:,} repeats of an item by one person left out",) if repeats else ()
    return Task(
        "next-item", 10, _wanting(early, log, before), _wanting(late, log, last), (*log.notes, *notes, *_order_note(log))
    )


def _ncf(log: Log, seed: int) -> Task:
    task = _next_item(log, seed)
    rng = np.random.default_rng(seed)
    return replace(task, protocol="ncf", valid=_sampled(task.valid, rng), test=_sampled(task.test, rng))


def _time(log: Log, _seed: int) -> Task:
    if not log.timed:
        raise DatasetError("the time protocol needs a column of times; use next-item or random")
    log, note = _good(log)
    borders = [float(log.times[min(round(len(log) * share), len(log) - 1)]) for share in SHARES]
    parts = np.searchsorted(borders, log.times, side="right")
    return _in_parts("time", log, parts, (*log.notes, note))


def _random(log: Log, seed: int) -> Task:
    log, note = _good(log)
    log, _ = _once(log)
    parts = np.searchsorted(SHARES, np.random.default_rng(seed).random(len(log)), side="right")
    return _in_parts("random", log, parts, (*log.notes, note))


def _in_parts(protocol: str, log: Log, parts: Ints, notes: tuple[str, ...]) -> Task:
    base = material_of(log)
    early, late = _knowing(base, log, parts == 0), _knowing(base, log, parts < 2)
    return Task(protocol, 10, _liking(early, log, parts == 1), _liking(late, log, parts == 2), notes)


def _holdout(train: Path, test: Path, seed: int) -> Task:
    log, repeats = _once(read_log(train, sequences=True))
    held_out, _ = _once(read_log(test, sequences=True))
    users = log.user_ids.rows_of_bytes(held_out.user_ids.array)[held_out.users]
    items = log.item_ids.rows_of_bytes(held_out.item_ids.array)[held_out.items]
    known = (users >= 0) & (items >= 0)
    if not known.any():
        raise DatasetError(f"{test.name}: names no user and item of {train.name}")
    base = material_of(log)
    hidden = np.random.default_rng(seed).random(len(log)) < HIDDEN_SHARE
    early, late = _knowing(base, log, ~hidden), _knowing(base, log, np.ones(len(log), dtype=np.bool_))
    wanted = replace(log, users=users[known], items=items[known], values=None, times=held_out.times[known])
    everything = np.ones(len(wanted), dtype=np.bool_)
    strange = {"items": int(np.count_nonzero(items < 0)), "people": np.unique(held_out.users[users < 0]).size}
    notes = [
        f"{count:,} held-out {name} are not in the training file and count for nothing"
        for name, count in strange.items()
        if count
    ]
    notes += [f"{repeats:,} repeats of an item by one person left out"] if repeats else []
    return Task("holdout", 20, _liking(early, log, hidden), _liking(late, wanted, everything), (*log.notes, *notes))


def _bundle(protocol: str, path: Path) -> Task:
    with np.load(path, allow_pickle=False) as read:
        bundle = {name: read[name] for name in read.files}
    if protocol == "next-item" and {"u", "i", "pos"} <= set(bundle):
        return _next_item(_numbered(bundle["u"], bundle["i"], bundle["pos"], timed=False), 0)
    if protocol == "ncf" and {"u", "i", "test", "neg"} <= set(bundle):
        return _given_negatives(bundle)
    if protocol in ("time", "random") and {"tr_u", "va_u", "te_u"} <= set(bundle):
        users, items, times = (np.concatenate([bundle[f"{part}_{name}"] for part in ("tr", "va", "te")]) for name in "uit")
        parts = np.repeat(np.arange(3), [bundle[f"{part}_u"].size for part in ("tr", "va", "te")])
        log = _numbered(users, items, times, timed=True)
        if protocol == "random":
            return _random(log, 0)
        order = np.argsort(times, kind="stable")
        return _in_parts("time", log, parts[order], ("cut as the bundle says",))
    raise DatasetError(f"{path.name}: holds {', '.join(sorted(bundle))}; that is no bundle for {protocol}")


def _given_negatives(bundle: Mapping[str, AnyArray]) -> Task:
    """Return the task for files that give the test item and 99 other items of each user.

    The validation item is one of the other training items of the user, chosen at random. The last row cannot be used:
    the release orders the rows by web page, so a last row differs systematically from the test item.
    """
    people = np.arange(bundle["test"].size)
    users, items = np.concatenate([bundle["u"], people]), np.concatenate([bundle["i"], bundle["test"]])
    times = np.arange(users.size)
    log = _numbered(users, items, times, timed=False, items_at_least=int(bundle["neg"].max()) + 1)
    last, _ = _last_two(log)
    rng = np.random.default_rng(0)
    base = material_of(log)
    none = _all_but(log, last)
    before = _at_random(log, np.flatnonzero(none), rng)
    none[before] = False
    valid = _sampled(_wanting(_knowing(base, log, none), log, before), rng)
    test = _wanting(_knowing(base, log, _all_but(log, last)), log, last)
    among = np.concatenate([bundle["neg"][test.users], bundle["test"][test.users][:, None]], axis=1).astype(np.int64)
    return Task("ncf", 10, valid, replace(test, among=among), ("the given 99 negatives",))


def _numbered(users: AnyArray, items: AnyArray, times: AnyArray, *, timed: bool, items_at_least: int = 0) -> Log:
    """Return a log whose ids are row numbers of equal width, so that ids sorted as text keep the order of the rows."""
    names = IdMap.of(f"{row:08d}" for row in range(max(int(items.max()) + 1, items_at_least)))
    people = IdMap.of(f"{row:08d}" for row in range(int(users.max()) + 1))
    order = np.argsort(times, kind="stable")
    return Log(
        users[order].astype(np.int64),
        items[order].astype(np.int64),
        None,
        times[order].astype(np.float64),
        people,
        names,
        timed,
    )


def _once(log: Log) -> tuple[Log, int]:
    """Return the newest event of each user with each item, and the number of older events that were left out."""
    keys = log.users * len(log.item_ids) + log.items
    _, newest = np.unique(keys[::-1], return_index=True)
    mask = np.sort(len(log) - 1 - newest)
    return _subset(log, mask), len(log) - mask.size


def _good(log: Log) -> tuple[Log, str]:
    """Return the positive events, and a note about the rule.

    A rating is positive from GOOD times the highest rating. If the values are counts, such as plays, every event above
    0 is positive.
    """
    values = log.values
    bundle = np.empty(0) if values is None else values[~np.isnan(values)]
    if values is None or not bundle.size or bundle.min() == bundle.max():
        return log, "every interaction counts as good"
    least = GOOD * float(bundle.max())
    if log.counts or bundle.max() > BEST_RATING or float((bundle >= least).mean()) < FEW:
        some = values > 0
        lost = int(np.count_nonzero(~some))
        note = f"values up to {bundle.max():g} are counts, not ratings: every interaction counts as good"
        return _subset(log, np.flatnonzero(some)), note + (f" but {lost:,} of none" if lost else "")
    missing = int(np.count_nonzero(np.isnan(values)))
    note = f"good means {least:g} or more" + (f"; {missing:,} rows without a rating left out" if missing else "")
    return _subset(log, np.flatnonzero(values >= least)), note


def _subset(log: Log, mask: Ints) -> Log:
    values = None if log.values is None else log.values[mask]
    return replace(log, users=log.users[mask], items=log.items[mask], values=values, times=log.times[mask])


def _last_two(log: Log) -> tuple[Ints, Ints]:
    """Return the indices of the last and of the second to last event of each user with three or more events."""
    order = np.argsort(log.users, kind="stable")
    ends = np.searchsorted(log.users[order], np.arange(len(log.user_ids)), side="right")
    starts = np.concatenate([[0], ends[:-1]])
    able = np.flatnonzero(ends - starts >= 3)
    if not able.size:
        raise DatasetError("nobody has three items; there is nothing to leave out")
    return order[ends[able] - 1], order[ends[able] - 2]


def _at_random(log: Log, positions: Ints, rng: np.random.Generator) -> Ints:
    """Return the index of one random event of each user who has two or more."""
    drawn = rng.permutation(positions)
    users, first = np.unique(log.users[drawn], return_index=True)
    return np.asarray(drawn[first[np.bincount(log.users[positions])[users] >= 2]])


def _all_but(log: Log, positions: Ints) -> Bools:
    mask = np.ones(len(log), dtype=np.bool_)
    mask[positions] = False
    return mask


def _wanting(material: TrainingData, log: Log, positions: Ints) -> EvaluationTask:
    """Return the users of these events. The item of its event is the one relevant item of each user."""
    by_user = positions[np.argsort(log.users[positions])]
    users = log.users[by_user]
    shape = (users.size, len(log.item_ids))
    ones = np.ones(users.size, dtype=np.float32)
    return EvaluationTask(material, users, sparse.csr_array((ones, (np.arange(users.size), log.items[by_user])), shape=shape))


def _liking(material: TrainingData, log: Log, part: Bools) -> EvaluationTask:
    """Return the users with a history who had a positive event with a new item in this part."""
    shape = (len(log.user_ids), len(log.item_ids))
    liked = sparse.csr_array((np.ones(int(part.sum()), dtype=np.float32), (log.users[part], log.items[part])), shape=shape)
    seen = material.histories.matrix()
    seen.data = np.ones_like(seen.data)
    liked.data = np.ones_like(liked.data)
    fresh = sparse.csr_array(liked - liked.multiply(seen))
    fresh.eliminate_zeros()
    users = np.flatnonzero((np.diff(fresh.indptr) > 0) & (np.diff(material.histories.indptr) > 0)).astype(np.int64)
    if not users.size:
        raise DatasetError("nobody with a past went for anything new in a part of this file; there is nothing to measure on")
    return EvaluationTask(material, users, sparse.csr_array(fresh[users]))


def _sampled(evaluated: EvaluationTask, rng: np.random.Generator) -> EvaluationTask:
    """Return, per user, the relevant item and 99 items that the user has no interaction with."""
    n_items = len(evaluated.material.catalogue)
    seen = evaluated.material.histories.matrix()
    among = np.empty((len(evaluated), NEGATIVES + 1), dtype=np.int64)
    free = np.ones(n_items, dtype=np.bool_)
    for index, user in enumerate(evaluated.users.tolist()):
        wanted = evaluated.relevant.indices[evaluated.relevant.indptr[index]]
        taken = np.append(seen.indices[seen.indptr[user] : seen.indptr[user + 1]], wanted)
        free[taken] = False
        if n_items - np.unique(taken).size < NEGATIVES:
            raise DatasetError(f"ncf needs {NEGATIVES} items that a person never touched; somebody has fewer")
        among[index] = np.append(_drawn(free, rng), wanted)
        free[taken] = True
    return replace(evaluated, among=among)


def _drawn(free: Bools, rng: np.random.Generator) -> Ints:
    """Return different free positions, each with equal probability.

    If few positions are taken, random positions are drawn until all are free. Otherwise the positions are drawn from
    all free ones.
    """
    thrown = rng.integers(0, free.size, 4 * NEGATIVES)
    _, first = np.unique(thrown, return_index=True)
    thrown = thrown[np.sort(first)]
    thrown = thrown[free[thrown]][:NEGATIVES]
    return thrown if thrown.size == NEGATIVES else rng.choice(np.flatnonzero(free), NEGATIVES, replace=False)


def _order_note(log: Log) -> tuple[str, ...]:
    return () if log.timed else ("in the order of the file, which has no times",)
