import pytest

from recommendation_service.errors import ConfigurationError
from recommendation_service.training.parameters import NeuralParameters, neural_parameters
from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.overrides import with_training

CLEANING = load("cleaning")


def test_the_stated_settings_are_those_of_the_acceptance_list():
    found = neural_parameters(CLEANING, seed=42)
    assert (found.epochs, found.batch, found.learning_rate, found.valid_share) == (50, 256, 0.001, 0.2)
    assert (found.patience, found.dimension) == (5, 64)


def test_the_file_says_what_differs():
    told = with_training(CLEANING, "neural", {"target": "hired", "epochs": 9, "label": "x"})
    assert neural_parameters(told, seed=3) == NeuralParameters(target="hired", epochs=9, label="x", seed=3)


@pytest.mark.parametrize(
    ("word", "value", "says"),
    [
        ("epoch", 3, "does not know 'epoch'; its keys are batch"),
        ("target", "luck", "there are rating, hired"),
        ("epochs", 0, "whole number of 1 to"),
        ("epochs", 2.5, "whole number"),
        ("epochs", True, "whole number"),
        ("learning_rate", "fast", "number of"),
        ("valid_share", 1.0, "number of 0.01 to 0.9"),
        ("label", "a\nb", "not a word"),
        ("label", 2.0, "not a word"),
    ],
)
def test_what_cannot_be_trained_with_is_refused_by_name(word, value, says):
    with pytest.raises(ConfigurationError, match=says):
        neural_parameters(with_training(CLEANING, "neural", {word: value}), seed=1)
