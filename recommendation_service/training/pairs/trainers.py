"""How each kind of pair model is trained, compared with a baseline and with the published model. One row per kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.kinds import KINDS
from recommendation_service.publishing.store import Artifact
from recommendation_service.training.data import Trained
from recommendation_service.training.pairs.bid_parameters import BidParameters, bid_parameters
from recommendation_service.training.pairs.neural_parameters import HIRED, NeuralParameters, neural_parameters
from recommendation_service.training.publish_gate import Lost
from recommendation_service.training.report import Progress
from recommendation_service.use_cases.schema import PairConfig, UseCase


class Stated(Protocol):
    """A function that returns the default parameters with the values of the use-case file."""

    def __call__(self, use_case: UseCase, *, seed: int) -> Any:
        """Raises ConfigurationError for values that cannot be used."""


@dataclass(frozen=True, slots=True)
class PairTrainer:
    """One kind. `train` raises NotEnough for too little data, PublishRefused if training diverged."""

    stated: Stated
    train: Callable[[Matches, PairConfig, Any, Progress | None], Trained]
    lost: Callable[[Trained, Artifact | None, Matches, PairConfig, Any], Lost]
    summarise: Callable[[Mapping[str, Any]], str]  # the figures as one line of text
    made_by: tuple[str, ...]


def _train_neural(
    matches: Matches, pair_config: PairConfig, parameters: NeuralParameters, progress: Progress | None
) -> Trained:
    from recommendation_service.training.pairs.neural import train_neural  # torch takes seconds to import

    return train_neural(matches, pair_config, parameters, progress=progress)


def _train_bid(matches: Matches, pair_config: PairConfig, parameters: BidParameters, progress: Progress | None) -> Trained:
    from recommendation_service.training.pairs.bid import train_bid  # torch takes seconds to import

    return train_bid(matches, pair_config, parameters, progress=progress)


def _neural_lost(
    trained: Trained, today: Artifact | None, matches: Matches, pair_config: PairConfig, parameters: NeuralParameters
) -> Lost:
    from recommendation_service.training.pairs.neural_metrics import compared  # scikit-learn takes a second to import

    figures = trained.metrics
    held_out = compared(today, trained.arrays, figures["border"], matches, pair_config, parameters) if today else None
    usual = "a random choice" if parameters.target == HIRED else "predicting the mean"
    return Lost(figures["loss"], figures["baseline_loss"], usual, *(held_out or (None, None)))


def _bid_lost(
    trained: Trained, _today: Artifact | None, _matches: Matches, _pair_config: PairConfig, _parameters: BidParameters
) -> Lost:
    figures = trained.metrics["held_out"]
    return Lost(figures["pinball"], figures["market_pinball"], "the market's own quantiles")


def _neural_summary(figures: Mapping[str, Any]) -> str:
    errors = (
        f"MSE {figures['mse']:.4f} (mean {figures['baseline']['mse']:.4f}), MAE {figures['mae']:.4f}, R² {figures['r2']:.3f}"
    )
    ranks = f", top 1 {figures['top_1']:.1%}, top 3 {figures['top_3']:.1%}" if figures["target"] == HIRED else ""
    return f"{figures['target']}: {errors}{ranks}, alpha {figures['alpha']:.3f}"


def _bid_summary(figures: Mapping[str, Any]) -> str:
    held_out = figures["held_out"]
    return (
        f"{held_out['coverage']:.1%} of newer winning bids within, wanted {held_out['share']:.0%}; {held_out['width']:.0%} wide"
    )


NEURAL = PairTrainer(neural_parameters, _train_neural, _neural_lost, _neural_summary, KINDS["neural"].libraries)
BID = PairTrainer(bid_parameters, _train_bid, _bid_lost, _bid_summary, KINDS["bid"].libraries)
PAIR_RECIPES: Mapping[str, PairTrainer] = {"neural": NEURAL, "bid": BID}
PAIR_KINDS = tuple(PAIR_RECIPES)


def pair_kinds(use_case: UseCase, catalogue: str) -> tuple[str, ...]:
    """The kinds of pair models of this use case that are published with this catalogue."""
    if use_case.pairs is None or use_case.pairs.right != catalogue:
        return ()
    kinds = {part.kind for part in (*use_case.engines.values(), *use_case.estimators.values())}
    return tuple(kind for kind in PAIR_KINDS if kind in kinds)
