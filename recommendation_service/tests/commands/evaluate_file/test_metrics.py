"""Our metrics against LensKit's, which made the figures beside this file."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from recommendation_service.training.evaluation import metrics

TOLD = json.loads((Path(__file__).parent / "lenskit_figures.json").read_text())


@pytest.fixture(scope="module")
def own() -> metrics.PerPerson:
    relevant = np.zeros((len(TOLD["wanted"]), TOLD["items"]), dtype=np.float32)
    for person, wanted in enumerate(TOLD["wanted"]):
        relevant[person, wanted] = 1
    lists = np.array([one[: TOLD["k"]] for one in TOLD["lists"]])
    return metrics.measure(lists, sparse.csr_array(relevant))


def test_ndcg_and_precision_are_lenskits(own: metrics.PerPerson) -> None:
    np.testing.assert_allclose(own.ndcg, TOLD["ndcg"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(own.precision, TOLD["precision"], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(own.recall > 0, np.array(TOLD["hit"]) > 0)


def test_recall_is_lenskits_share_of_what_a_list_can_hold_over_all_that_was_wanted(own: metrics.PerPerson) -> None:
    """LensKit divides by the smaller of k and what was wanted, we by what was wanted: the same up to k."""
    wanted = np.array([len(one) for one in TOLD["wanted"]])
    assert (wanted <= TOLD["k"]).any()
    assert (wanted > TOLD["k"]).any()
    reachable = np.minimum(wanted, TOLD["k"])
    np.testing.assert_allclose(own.recall, np.array(TOLD["recall"]) * reachable / wanted, rtol=0, atol=1e-9)
