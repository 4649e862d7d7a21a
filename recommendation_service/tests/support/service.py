"""A whole small service for tests: an export, models of every kind, settings, tokens."""

import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jwt
import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, unit_rows
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.settings import Settings, load_settings
from recommendation_service.tests.support import market
from recommendation_service.tests.support.exports import clubs, write_export
from recommendation_service.use_cases.loader import load

KEY = "test-key-of-more-than-thirty-two-bytes"
OLD_KEY = "older-key-of-more-than-thirty-two-bytes"
ITEMS = [f"i{row:03d}" for row in range(24)]
USERS = [f"u{row:03d}" for row in range(40)]


def environment(root: Path, **more: str) -> dict[str, str]:
    """The variables of a service that lives under `root` and wants tokens."""
    return {
        "RS_DATA_DIR": str(root / "data"),
        "RS_MODELS_DIR": str(root / "models"),
        "RS_LOG_FILE": str(root / "logs" / "app.log"),
        "RS_SIGNING_KEYS": f"new:{KEY},old:{OLD_KEY}",
        "RS_RELOAD_SECONDS": "0",
        **more,
    }


def settings_under(root: Path, **more: str) -> Settings:
    return load_settings(environment(root, **more))


def export_startups(root: Path, *, events_each: int = 8) -> None:
    write_export(root / "data", load("startups"), *clubs(events_each=events_each))


def token(
    subject: str = "service",
    scope: str = "recs:any",
    *,
    key: str = KEY,
    kid: str | None = "new",
    algorithm: str = "HS256",
    **claims: Any,
) -> str:
    now = int(time.time())
    body = {
        "iss": "backend",
        "aud": ["recommendation_service"],
        "sub": subject,
        "scope": scope,
        "iat": now,
        "exp": now + 60,
        "jti": uuid.uuid4().hex,
        **claims,
    }
    body = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(body, key, algorithm=algorithm, headers={"kid": kid} if kid is not None else None)


def bearer(*args: Any, **kwargs: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(*args, **kwargs)}"}


def ids(names: Sequence[str]) -> AnyArray:
    return np.array([name.encode() for name in names], dtype=np.bytes_)


def als_arrays(seed: int = 0, items: Sequence[str] = ITEMS, k: int = 4) -> dict[str, AnyArray]:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(len(items), k)).astype(np.float32)
    return {
        "item_ids": ids(items),
        "item_factors": factors,
        "gram": (factors.T @ factors).astype(np.float32),
        "item_counts": np.ones(len(items), dtype=np.int32),
    }


def two_tower_arrays(seed: int = 0, items: Sequence[str] = ITEMS, d: int = 4, h: int = 6) -> dict[str, AnyArray]:
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> AnyArray:
        return rng.normal(size=shape).astype(np.float32)

    return {
        "item_ids": ids(items),
        "item_vectors": unit_rows(normal(len(items), d)),
        "history_vectors": normal(len(items), d),
        "attributes": ids(["skills=t0", "skills=t1"]),
        "attribute_vectors": normal(2, d),
        "layer1_weights": normal(2 * d, h),
        "layer1_bias": normal(h),
        "layer2_weights": normal(h, d),
        "layer2_bias": normal(d),
    }


def margin_arrays(seed: int = 0, items: Sequence[str] = ITEMS, users: Sequence[str] = USERS, d: int = 4) -> dict[str, AnyArray]:
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> AnyArray:
        return rng.normal(size=shape).astype(np.float32)

    return {
        "item_ids": ids(items),
        "item_vectors": normal(len(items), d),
        "item_biases": normal(len(items)),
        "history_vectors": normal(len(items), d),
        "content_vectors": normal(len(items), 2),
        "user_ids": ids(users),
        "user_vectors": normal(len(users), d),
    }


def sasrec_arrays(seed: int = 0, items: Sequence[str] = ITEMS, d: int = 4, blocks: int = 2) -> dict[str, AnyArray]:
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> AnyArray:
        return rng.normal(size=shape).astype(np.float32)

    layers = {"output": (d, d), "dense1": (d, d), "dense2": (d, d), "read": (d, 3 * d)}
    return {
        "item_ids": ids(items),
        "item_counts": np.ones(len(items), dtype=np.int32),
        "history_vectors": normal(len(items), d),
        "item_vectors": normal(len(items), d),
        "item_bias": normal(len(items)),
        "positions": normal(5, d),
        "attention_norm": normal(blocks, 2, d),
        "dense_norm": normal(blocks, 2, d),
        "last_norm": normal(2, d),
        **{f"{name}_weights": normal(blocks, *shape) for name, shape in layers.items()},
        **{f"{name}_bias": normal(blocks, shape[1]) for name, shape in layers.items()},
    }


def content_arrays(items: Sequence[str] = ITEMS) -> dict[str, AnyArray]:
    """Every item has the one term of its club."""
    return {
        "item_ids": ids(items),
        "terms": ids(["tags=t0", "tags=t1"]),
        "indptr": np.arange(len(items) + 1, dtype=np.int64),
        "indices": (np.arange(len(items)) % 2).astype(np.int32),
        "values": np.ones(len(items), dtype=np.float32),
    }


def co_occurrence_arrays(items: Sequence[str] = ITEMS) -> dict[str, AnyArray]:
    """Every item is bought together with the next of its club, and with the one before."""
    n = len(items)
    pairs = sorted((row, (row + step) % n) for row in range(n) for step in (-2, 2))
    return {
        "item_ids": ids(items),
        "item_counts": np.full(n, 3, dtype=np.int32),
        "indptr": np.arange(n + 1, dtype=np.int64) * 2,
        "indices": np.array([column for _, column in pairs], dtype=np.int32),
        "values": np.full(len(pairs), 0.5, dtype=np.float32),
        "people": np.full(len(pairs), 12, dtype=np.int32),
    }


def similar_users_arrays(items: Sequence[str] = ITEMS) -> dict[str, AnyArray]:
    """Two tastes: whoever likes all of one club, and whoever likes all of the other."""
    n = len(items)
    clubs_ = np.concatenate([np.arange(0, n, 2), np.arange(1, n, 2)])
    unit = np.float32((n / 2) ** -0.5)
    return {
        "item_ids": ids(items),
        "item_counts": np.ones(n, dtype=np.int32),
        "item_weights": np.ones(n, dtype=np.float32),
        "item_indptr": np.arange(n + 1, dtype=np.int64),
        "item_users": (np.arange(n) % 2).astype(np.int32),
        "lengths": np.ones(2, dtype=np.float32),
        "indptr": np.array([0, n // 2, n], dtype=np.int64),
        "indices": clubs_.astype(np.int32),
        "values": np.full(n, unit, dtype=np.float32),
    }


def ease_arrays(items: Sequence[str] = ITEMS, blocks: int = 1) -> dict[str, AnyArray]:
    """Items of one club go together, and nothing with itself."""
    n = len(items)
    alike = (np.arange(n)[:, None] - np.arange(n)) % 2 == 0
    table = sparse.csr_array(np.tile((alike & ~np.eye(n, dtype=np.bool_)).astype(np.float32), (blocks, 1)))
    return {
        "item_ids": ids(items),
        "item_counts": np.ones(n, dtype=np.int32),
        "indptr": table.indptr.astype(np.int64),
        "indices": table.indices.astype(np.int32),
        "values": table.data,
    }


def next_item_arrays(items: Sequence[str] = ITEMS) -> dict[str, AnyArray]:
    """The same clubs, by two windows."""
    windows = {f"window_{number}": np.exp(-np.arange(3 + number)).astype(np.float32) for number in range(2)}
    return ease_arrays(items, 2) | windows


def embedding_arrays(seed: int = 0, items: Sequence[str] = ITEMS, d: int = 4) -> dict[str, AnyArray]:
    vectors = np.random.default_rng(seed).normal(size=(len(items), d)).astype(np.float32)
    return {"item_ids": ids(items), "item_vectors": unit_rows(vectors), "text_hashes": ids(["0" * 64] * len(items))}


def ensemble_arrays() -> dict[str, AnyArray]:
    return {
        "members": ids(["als", "two_tower"]),
        "weights": np.array([0.5, 0.5], dtype=np.float32),
        "configured_weights": np.array([0.6, 0.4], dtype=np.float32),
    }


def learned_arrays() -> dict[str, AnyArray]:
    """One tree: what stands in the upper half of its list adds 1."""
    return {
        "features": ids(["standing", "popularity"]),
        "tree_roots": np.array([0], dtype=np.int32),
        "node_feature": np.zeros(3, dtype=np.int32),
        "node_threshold": np.array([0.5, 0.0, 0.0]),
        "node_left": np.array([1, 1, 2], dtype=np.int32),
        "node_right": np.array([2, 1, 2], dtype=np.int32),
        "node_unknown_left": np.ones(3, dtype=np.uint8),
        "node_value": np.array([0.0, 0.0, 1.0]),
    }


def bid_arrays(seed: int = 0, f: int = 2, d: int = 2, h: int = 3) -> dict[str, AnyArray]:
    """A network that reads hours and the usual rate, and knows two property types."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> AnyArray:
        return (rng.normal(size=shape) / 4).astype(np.float32)

    return {
        "features": ids(["hours", "usual_rate"]),
        "centers": np.array([1.0, 2.7], dtype=np.float32),
        "scales": np.array([0.5, 0.4], dtype=np.float32),
        "attributes": ids(["property_type=apartment", "property_type=villa"]),
        "attribute_vectors": normal(2, d),
        "layer1_weights": normal(2 * f + d, h),
        "layer1_bias": normal(h),
        "layer2_weights": normal(h, h + 1),
        "layer2_bias": normal(h + 1),
        "out_weights": normal(h + 1, 3),
        "out_bias": np.array([-0.2, -1.8, -1.8], dtype=np.float32),
        "straight_weights": normal(2 * f + d, 3),
        "reaches": np.array([1.1, 0.9], dtype=np.float32),
        "reference": np.array([2.7], dtype=np.float32),
    }


def bandit_arrays() -> dict[str, AnyArray]:
    return {
        "arms": ids(["hybrid", "content"]),
        "plays": np.array([40, 30], dtype=np.int64),
        "rewards": np.array([4.0, 12.0]),
    }


def two_tower_index_arrays() -> dict[str, AnyArray]:
    """An index in form only: whether the library can read it is seen by the engine."""
    return {"index": np.arange(60, dtype=np.uint8), "item_ids": ids(ITEMS)}


PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "als": {"factors": 4, "regularization": 0.01, "iterations": 2, "alpha": 40.0, "seed": 0},
    "two_tower": {"dimension": 4, "hidden": 6, "recent": 20, "decay": 0.9, "temperature": 0.1, "epochs": 1, "seed": 0},
    "content": {"n_terms": 2, "min_df": 1},
    "embedding": {"model": "", "dimension": 4},
    "co_occurrence": {},
    "similar_users": {},
    "ease": {},
    "next_item": {},
    "sasrec": {"heads": 1},
    "margin": {"emb_dim": 4, "content_dim": 2, "recent": 20, "epochs": 1, "seed": 0},
    "ensemble": {},
    "learned": {},
    "bid": {"per": "hours", "features": [{"name": "hours", "log1p": True}, {"name": "usual_rate", "log1p": True}]},
    "bandit": {"rewards": {"click": 0.3}},
    "two_tower_index": {},
    "neural": market.told_features(),
}
ARRAYS = {
    "als": als_arrays,
    "two_tower": two_tower_arrays,
    "content": content_arrays,
    "embedding": embedding_arrays,
    "co_occurrence": co_occurrence_arrays,
    "similar_users": similar_users_arrays,
    "margin": margin_arrays,
    "ease": ease_arrays,
    "next_item": next_item_arrays,
    "sasrec": sasrec_arrays,
    "ensemble": ensemble_arrays,
    "learned": learned_arrays,
    "bid": bid_arrays,
    "bandit": bandit_arrays,
    "two_tower_index": two_tower_index_arrays,
    "neural": market.network,
}


def store_under(root: Path, catalogue: str = "startups") -> ArtifactStore:
    return ArtifactStore(root / "models" / catalogue)


def publish(root: Path, kind: str, arrays: Mapping[str, AnyArray] | None = None, catalogue: str = "startups") -> Artifact:
    return store_under(root, catalogue).publish(
        kind,
        ARRAYS[kind]() if arrays is None else arrays,  # type: ignore[operator]  # each makes its own arrays
        catalogue=catalogue,
        parameters=PARAMETERS[kind],
        dataset={"fingerprint": "made-up"},
        metrics={},
    )


def publish_all(root: Path) -> None:
    for kind in ARRAYS:
        publish(root, kind)
