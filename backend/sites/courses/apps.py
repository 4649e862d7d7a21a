"""The course platform."""

from django.apps import AppConfig


class CoursesConfig(AppConfig):
    """Courses, the people who learn there, and what they take and finish."""

    name = "sites.courses"
    label = "courses"
    verbose_name = "Courses"
