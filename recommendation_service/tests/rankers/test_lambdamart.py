"""The ranker that was learned: silent before there is one, told when it is damaged, and scoring what it is given."""

import numpy as np
import pytest

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.features import noted
from recommendation_service.domain.slate import Candidates
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.manifest import Manifest
from recommendation_service.publishing.store import Artifact
from recommendation_service.rankers.lambdamart import Learned, from_artifact
from recommendation_service.settings import load_settings
from recommendation_service.tests.engines.board import catalogue, query
from recommendation_service.tests.support.service import ids, learned_arrays

SETTINGS = load_settings({})


def artifact(**changed: AnyArray) -> Artifact:
    return Artifact("learned_v3", Manifest("learned", "board", "", {}, {}, {}, {}), {**learned_arrays(), **changed})


def made(**changed: AnyArray) -> Learned:
    found = from_artifact("learned", artifact(**changed), catalogue(), SETTINGS)
    assert found is not None
    return found


def test_before_it_is_trained_there_is_none() -> None:
    assert from_artifact("learned", None, catalogue(), SETTINGS) is None


def test_it_scores_each_candidate_by_its_trees() -> None:
    board = catalogue()
    asked = query(board, [0])
    found = noted(asked, Candidates(np.array([4, 2, 6]), np.array([9.0, 2.0, 1.0], dtype=np.float32)))
    ranker = made()
    said = ranker.scores(asked, found, budget_s=0.1)
    assert said is not None
    assert said.dtype == np.float32
    assert said.tolist() == [1.0, 0.0, 0.0]
    assert (ranker.name, ranker.version) == ("learned", "learned_v3")


def test_one_candidate_and_none_are_no_special_case() -> None:
    asked = query(catalogue(), [])
    for rows in ([3], []):
        found = Candidates(np.array(rows, dtype=np.int64), np.zeros(len(rows), dtype=np.float32))
        said = made().scores(asked, found, budget_s=0.1)
        assert said is not None
        assert said.shape == (len(rows),)


def test_a_feature_of_another_program_is_refused_by_name() -> None:
    with pytest.raises(ArtifactRefused, match="needs the feature 'phase_of_the_moon'"):
        made(features=ids(["standing", "phase_of_the_moon"]))


def test_a_tree_that_asks_for_a_feature_there_is_not_is_refused() -> None:
    with pytest.raises(ArtifactRefused, match="column 4 of 2"):
        made(node_feature=np.array([4, 0, 0]))
