"""Courses, events and answers, as the service knows them: `recommendation_service.domain` and its exports."""

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.answer import Answer, AnswerItem
from recommendation_service.domain.history import History, PastEvent

__all__ = ["Answer", "AnswerItem", "History", "ItemRecord", "PastEvent"]
