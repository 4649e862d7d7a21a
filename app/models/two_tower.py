"""The two-tower network in PyTorch: `recommendation_service.training.models.two_tower`."""

from recommendation_service.training.models.two_tower import Towers, train_two_tower
from recommendation_service.training.parameters import TwoTowerParameters

__all__ = ["Towers", "TwoTowerParameters", "train_two_tower"]
