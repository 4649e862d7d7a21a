"""The order of the candidates, and the reasons of those that are shown: stages of the service's pipeline."""

from recommendation_service.pipeline.explain import explain
from recommendation_service.pipeline.rerank import rerank

__all__ = ["explain", "rerank"]
