"""SASRec: a transformer's forward pass, checked against loops written out."""

from collections.abc import Sequence

import numpy as np
import pytest

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.sasrec import Block, SASRec, Transformer, layer_norm
from recommendation_service.errors import ArtifactRefused
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import best_reason
from recommendation_service.tests.engines.contract import EngineContract

D = 4


def arrays_of(order: Sequence[int] = range(board.N), seed: int = 0, blocks: int = 2, size: float = 0.02) -> dict[str, AnyArray]:
    """Tiles of one colour point the same way, and blocks of random numbers that are small beside that."""
    rng = np.random.default_rng(seed)
    own = np.array(order)
    vectors = np.stack([own % 2 == 0, own % 2 == 1, own / 100, 1 - own / 100], axis=1).astype(np.float32)
    shapes = {
        "read_weights": (D, 3 * D), "read_bias": (3 * D,), "output_weights": (D, D), "output_bias": (D,),
        "dense1_weights": (D, D), "dense1_bias": (D,), "dense2_weights": (D, D), "dense2_bias": (D,),
    }  # fmt: skip
    norm = np.stack([np.ones(D), np.zeros(D)]).astype(np.float32)
    made = {name: (rng.normal(size=(blocks, *shape)) * size).astype(np.float32) for name, shape in shapes.items()}
    return made | {
        "item_ids": np.array([one.encode() for one in board.item_ids()])[list(order)],
        "item_counts": np.full(own.size, 3, dtype=np.int32),
        "item_vectors": vectors,
        "history_vectors": vectors * 1.5,
        "item_bias": np.zeros(own.size, dtype=np.float32),
        "positions": (rng.normal(size=(6, D)) * size).astype(np.float32),
        "attention_norm": np.stack([norm] * blocks),
        "dense_norm": np.stack([norm] * blocks),
        "last_norm": norm,
    }


def engine_of(arrays: dict[str, AnyArray], heads: int = 2, catalogue: Catalogue | None = None) -> SASRec:
    return SASRec("sasrec", board.artifact("sasrec", arrays, {"heads": heads}), catalogue or board.catalogue())


class TestSASRec(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return engine_of(arrays_of(order), catalogue=catalogue)


def by_hand(arrays: dict[str, AnyArray], rows: Sequence[int], heads: int) -> AnyArray:
    """The state after these rows, oldest first, place by place and head by head."""
    states = [arrays["history_vectors"][row].astype(float) + arrays["positions"][place] for place, row in enumerate(rows)]

    def norm(state, scale_and_shift):
        return (state - state.mean()) / np.sqrt(state.var() + 1e-5) * scale_and_shift[0] + scale_and_shift[1]

    for block in range(arrays["read_weights"].shape[0]):
        told = [
            norm(s, arrays["attention_norm"][block]) @ arrays["read_weights"][block] + arrays["read_bias"][block]
            for s in states
        ]
        asked, keys, values = ([one[part * D : (part + 1) * D] for one in told] for part in range(3))
        wide, after = D // heads, []
        for place, state in enumerate(states):
            mixed = np.zeros(D)
            for head in range(heads):
                own = slice(head * wide, (head + 1) * wide)
                shares = np.exp([asked[place][own] @ keys[other][own] / np.sqrt(wide) for other in range(place + 1)])
                mixed[own] = sum(share * values[other][own] for other, share in enumerate(shares / shares.sum()))
            moved = state + mixed @ arrays["output_weights"][block] + arrays["output_bias"][block]
            hidden = norm(moved, arrays["dense_norm"][block]) @ arrays["dense1_weights"][block] + arrays["dense1_bias"][block]
            after.append(moved + np.maximum(hidden, 0) @ arrays["dense2_weights"][block] + arrays["dense2_bias"][block])
        states = after
    return norm(states[-1], arrays["last_norm"])


@pytest.mark.parametrize(
    ("heads", "blocks", "rows"), [(1, 1, (3,)), (2, 2, (3, 8, 1)), (4, 3, (5, 0, 2, 9, 4, 7)), (2, 1, (6, 1))]
)
def test_the_state_is_that_of_the_network_written_out(heads: int, blocks: int, rows: Sequence[int]) -> None:
    arrays = arrays_of(seed=heads, blocks=blocks, size=0.7)
    network = Transformer.from_artifact(board.artifact("sasrec", arrays, {"heads": heads}), board.N)
    state, attention = network.state(np.array(rows))
    np.testing.assert_allclose(state, by_hand(arrays, rows, heads), rtol=1e-4, atol=1e-5)
    assert attention.shape == (len(rows),)
    assert attention.sum() == pytest.approx(1, abs=1e-5)


def test_scores_are_the_state_times_every_item_and_its_bias() -> None:
    arrays = arrays_of(size=0.5) | {"item_bias": np.linspace(-1, 1, board.N).astype(np.float32)}
    asked = board.query(board.catalogue(), likes=(7, 2, 9))  # newest first
    expected = arrays["item_vectors"] @ by_hand(arrays, (9, 2, 7), 2) + arrays["item_bias"]
    np.testing.assert_allclose(engine_of(arrays).scores(asked), expected, rtol=1e-4, atol=1e-5)


def test_the_order_of_the_same_likes_matters() -> None:
    engine = engine_of(arrays_of(size=0.5))
    one, other = (engine.scores(board.query(board.catalogue(), likes=likes)) for likes in ((7, 2, 9), (9, 2, 7)))
    assert one is not None
    assert not np.allclose(one, other)


def test_only_as_many_of_the_newest_items_are_read_as_there_are_positions() -> None:
    engine = engine_of(arrays_of(size=0.5))
    long, newest = (engine.scores(board.query(board.catalogue(), likes=range(k))) for k in (12, 6))
    np.testing.assert_array_equal(long, newest)


def test_an_item_nobody_liked_in_training_is_unknown_and_tells_nothing() -> None:
    arrays = arrays_of()
    arrays["item_counts"][[3, 5]] = 0
    engine = engine_of(arrays)
    found = engine.scores(board.query(board.catalogue(), likes=(3, 8)))
    assert found is not None
    assert np.isnan(found[[3, 5]]).all()
    assert np.isfinite(np.delete(found, [3, 5])).all()
    assert engine.scores(board.query(board.catalogue(), likes=(3, 5))) is None
    assert best_reason(engine, board.query(board.catalogue(), likes=(8,)), 5) is None


def test_a_row_is_explained_by_an_item_of_the_history_that_is_like_it() -> None:
    query = board.query(board.catalogue(), likes=(4, 1, 2))
    reason = best_reason(engine_of(arrays_of()), query, 7)
    assert reason is not None
    assert "Tile 1" in reason.text


def test_a_block_that_normalises_gives_mean_zero_and_spread_one() -> None:
    norm = np.stack([np.ones(D), np.zeros(D)]).astype(np.float32)
    found = layer_norm(np.random.default_rng(0).normal(3, 2, size=(5, D)).astype(np.float32), norm)
    np.testing.assert_allclose(found.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=1), 1, atol=1e-3)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"positions": np.zeros((6, D + 1), dtype=np.float32)}, "positions"),
        ({"read_weights": np.zeros((2, D, D), dtype=np.float32)}, "read_weights"),
        ({"dense2_bias": np.zeros((1, D), dtype=np.float32)}, "dense2_bias"),
        ({"item_vectors": np.ones((board.N, D), dtype=np.float32)}, "one number only"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_name(changed: dict[str, AnyArray], words: str) -> None:
    with pytest.raises(ArtifactRefused, match=words):
        engine_of(arrays_of() | changed)


def test_heads_that_do_not_divide_the_dimension_are_refused() -> None:
    with pytest.raises(ArtifactRefused, match="3 heads"):
        engine_of(arrays_of(), heads=3)


def test_blocks_come_back_in_their_order() -> None:
    arrays = arrays_of(blocks=3, size=0.5)
    blocks = Block.all_of(board.artifact("sasrec", arrays), D)
    assert len(blocks) == 3
    np.testing.assert_array_equal(blocks[2].output_weights, arrays["output_weights"][2])


def test_the_network_runs_once_for_a_list_and_its_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    run, passes = Transformer.state, []
    monkeypatch.setattr(Transformer, "state", lambda self, rows: passes.append(rows) or run(self, rows))
    engine, query = engine_of(arrays_of()), board.query(board.catalogue(), likes=(8, 2))
    found = engine.retrieve(query, 5)
    assert found is not None
    reasons = engine.explain(query, found.candidates.rows, found.candidates.parts, found.basis)
    assert len(passes) == 1
    assert any(reasons)
