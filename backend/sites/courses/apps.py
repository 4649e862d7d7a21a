"""The course platform."""

from django.apps import AppConfig


class CoursesConfig(AppConfig):
    """Courses, learners, enrolments and completions."""

    name = "sites.courses"
    label = "courses"
    verbose_name = "Courses"
