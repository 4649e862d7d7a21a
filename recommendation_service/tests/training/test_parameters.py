from pathlib import Path

import pytest

from recommendation_service.errors import ConfigurationError
from recommendation_service.training.parameters import TwoTowerParameters, read_two_tower_config
from recommendation_service.training.trainers import stated_for
from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.overrides import with_training

SHIPPED = Path(__file__).parents[3] / "configs" / "two_tower.yaml"


def written(folder: Path, text: str) -> Path:
    path = folder / "two_tower.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_reaches_the_parameters_of_training() -> None:
    wanted = read_two_tower_config(SHIPPED)
    found = stated_for(with_training(load("courses"), "two_tower", wanted), "two_tower", seed=1)
    assert found == TwoTowerParameters(
        dimension=64,
        hidden=128,
        epochs=60,
        batch=256,
        learning_rate=0.003,
        event_types=("view", "click", "enroll", "complete"),
        min_interactions=2,
        seed=1,
    )


def test_what_the_file_leaves_out_stays_as_it_was(tmp_path: Path) -> None:
    wanted = read_two_tower_config(written(tmp_path, "epochs: 3\n"))
    found = stated_for(with_training(load("courses"), "two_tower", wanted), "two_tower", seed=1)
    assert found == TwoTowerParameters(epochs=3, seed=1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("epoch: 3", r"epoch: .*its keys are embedding_dim, hidden_dims, epochs, batch_size, learning_rate, event_types"),
        ("epochs: many", "epochs: Input should be a valid integer"),
        ("epochs: 0", "epochs: Input should be greater than or equal to 1"),
        ("hidden_dims: [128, 64]", "hidden_dims: Tuple should have at most 1 item"),
        ("learning_rate: -1", "learning_rate: Input should be greater than 0"),
        ("event_types: [1]", r"event_types.0: Input should be a valid string"),
        ("- epochs", "must hold keys such as 'epochs: 60', not list"),
        ("epochs: [", "cannot be read"),
        ("!!python/object/apply:os.system ['touch /tmp/tandem-canary']", "cannot be read"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_key(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=f"two_tower.yaml: {told}"):
        read_two_tower_config(written(tmp_path, text))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml: cannot be read"):
        read_two_tower_config(tmp_path / "none.yaml")
