"""Candidates: the nearest courses in the FAISS index, and the engines of a surface one after the other."""

from recommendation_service.engines.two_tower import NearestIndex, open_index
from recommendation_service.pipeline.retrieve import retrieve

__all__ = ["NearestIndex", "open_index", "retrieve"]
