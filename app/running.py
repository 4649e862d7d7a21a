"""The use case of all commands, and the thread settings. Import this module before numpy."""

from recommendation_service.core import threads

__all__ = ["ABOUT", "USE_CASE", "threads"]

USE_CASE = "courses"
ABOUT = ("--use-case", USE_CASE)
