"""Prints the lists of a few users, as the service would answer now."""

import time
from collections.abc import Iterator, Mapping

import numpy as np

from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.answer import Answer
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.settings import load_settings
from recommendation_service.training.workspace import Workspace
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_service


def sample_lists(workspace: Workspace, use_case: UseCase, topn: int) -> Iterator[str]:
    """Yield lines with the first `topn` items of a new user, of a median user and of the most active user.

    The lists are those of the use case's first surface for users, rerankers included.
    """
    folders = {"data_dir": workspace.data_dir, "models_dir": workspace.models_dir, "use_cases": use_case.name}
    service = build_service(load_settings().model_copy(update=folders))
    surface = next((name for name, entry in use_case.surfaces.items() if entry.about == "user"), None)
    if surface is None:
        return
    dataset = Dataset.open(workspace.data_dir, use_case.surfaces[surface].catalogue)
    titles = dict(zip(dataset.catalogue().ids.ids(), dataset.catalogue().titles, strict=True))
    for user_id in _a_few(dataset):
        request = RecommendationRequest(user_id=user_id, limit=topn)
        answer = service.recommend(request, use_case=use_case.name, surface=surface, now=time.time())
        yield from _lines(user_id, answer, titles)


def _a_few(dataset: Dataset) -> list[str]:
    sizes = np.diff(dataset.array("history_indptr"))
    order = np.argsort(sizes, kind="stable")
    active = order[sizes[order] > 0]
    chosen = [order[0], active[active.size // 2], order[-1]] if active.size else order[:1]
    return [dataset.user_ids.id(int(row)) for row in dict.fromkeys(chosen)]


def _lines(user_id: str, answer: Answer, titles: Mapping[str, str]) -> Iterator[str]:
    yield f"{user_id}: {answer.interaction_count} interactions, {len(answer.recommendations)} items by {answer.method_used}"
    for entry in answer.recommendations:
        yield f"  {entry.position:>3}. {entry.score:>7.4f}  {titles[entry.item_id]} ({entry.item_id})"
