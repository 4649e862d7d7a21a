"""What the commands share: the one use case they are about, and pinned thread pools. Import this before numpy."""

from recommendation_service.core import threads

__all__ = ["ABOUT", "USE_CASE", "threads"]

USE_CASE = "courses"
ABOUT = ("--use-case", USE_CASE)
