"""The two towers as tensors: what training changes and serving reads as arrays."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from recommendation_service.core.numeric import Floats
from recommendation_service.training.parameters import TwoTowerParameters

SMALL = 0.1  # of what must not drown the rest in the first steps
MEAN_OF = 0.99  # of the mean stays at every step: about the last hundred count


class Table(nn.Module):
    """A vector of `length` numbers a row; with a `width`, learned as so many and widened by a matrix of their own."""

    def __init__(self, rows: int, length: int, width: int, scale: float, share: float = 1.0) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.randn(rows, width or length) * scale * share)
        self.widen = nn.Parameter(torch.randn(width, length) * width**-0.5) if width else None

    def rows(self) -> Tensor:
        """(rows, length)."""
        return self.values if self.widen is None else torch.mm(self.values, self.widen)


class Towers(nn.Module):
    """Both towers as plain tensors; `arrays` is what serving reads."""

    def __init__(self, n_items: int, n_features: int, n_attributes: int, parameters: TwoTowerParameters) -> None:
        super().__init__()
        d, h = parameters.dimension, parameters.hidden
        scale = d**-0.5
        self.item_own = nn.Parameter(torch.randn(n_items, d) * scale)
        self.item_features = Table(n_features, d, parameters.item_feature_dim, scale)
        self.history_own = nn.Parameter(torch.randn(n_items, d) * scale)
        self.history_features = Table(n_features, d, parameters.item_feature_dim, scale)
        self.attributes = Table(n_attributes, d, parameters.user_feature_dim, scale, 0.1)
        self.layer1 = nn.Linear(2 * d, h)
        self.layer2 = nn.Linear(h, d)

    def items(self, rows: Tensor, features: Tensor) -> Tensor:
        """(n, d) unit vectors of the items in these rows, with these (n, f) sparse features."""
        return nn.functional.normalize(self.item_own[rows] + features @ self.item_features.rows(), dim=1)

    def history(self, rows: Tensor, features: Tensor) -> Tensor:
        """(n, d) what each of these items says about the person who liked it."""
        return self.history_own[rows] + features @ self.history_features.rows()

    def users(self, bag: Tensor, attributes: Tensor) -> Tensor:
        """(b, d) unit vectors."""
        hidden = torch.relu(self.layer1(torch.cat([bag, attributes], dim=1)))
        return nn.functional.normalize(self.layer2(hidden), dim=1)

    def leave_out(self, unknown: Tensor) -> None:
        """Items that nobody liked have only their features; without a gradient their own vectors stay 0."""
        with torch.no_grad():
            self.item_own[unknown] = 0
            self.history_own[unknown] = 0

    def initialise(self, before: Floats, after: Floats) -> None:
        """Begin at these (n, d) item vectors, and with a user tower that hands on the sum of its two inputs.

        relu(x) - relu(-x) is x; a hidden layer shorter than 2 d hands on as many numbers as it can.
        """
        d, most = self.layer2.out_features, self.layer1.out_features // 2
        through = torch.eye(d)[:most]
        wide = torch.cat([through, through], dim=1)
        with torch.no_grad():
            for layer in (self.layer1, self.layer2):
                layer.weight.mul_(SMALL)
                layer.bias.zero_()
            self.layer1.weight[: 2 * through.shape[0]] += torch.cat([wide, -wide]).to(self.layer1.weight.device)
            self.layer2.weight[:, : 2 * through.shape[0]] += torch.cat([through, -through]).T.to(self.layer2.weight.device)
            for vectors, table, start in (
                (self.history_own, self.history_features, before),
                (self.item_own, self.item_features, after),
            ):
                vectors.mul_(SMALL).add_(torch.from_numpy(start).to(vectors.device))
                table.values.mul_(SMALL)


class Averaged:
    """Towers that are the running mean of others: steadier than any one step of them (Polyak & Juditsky 1992)."""

    def __init__(self, towers: Towers, decay: float) -> None:
        """`kept`, such as MEAN_OF, stays of the mean at every step; 0: it is the others as they are."""
        self._decay = decay
        self.trained, self.mean, self._steps = towers, deepcopy(towers), 0

    def follow(self) -> None:
        """After every step."""
        self._steps += 1
        share = max(1 - self._decay, 10 / (self._steps + 10))
        with torch.no_grad():
            for mean, now in zip(self.mean.parameters(), self.trained.parameters(), strict=True):
                mean.lerp_(now, share)
