"""The course platform in Django's admin."""

from django.contrib import admin

from sites.admin import PersonAdmin
from sites.courses.models import Completion, Course, Enrolment, Learner


@admin.register(Course)
class CourseAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """Courses by category and level."""

    list_display = ("title", "slug", "category", "level", "hours", "created", "is_published")
    list_filter = ("category", "level", "is_published")
    search_fields = ("title", "slug")


@admin.register(Learner)
class LearnerAdmin(PersonAdmin):
    """Learners with their readable ids."""

    list_display = ("id", "name", "describe", "account", "is_demo")
    list_filter = ("is_demo", "level")
    search_fields = ("id", "name")
    readonly_fields = ()


@admin.register(Enrolment, Completion)
class TakingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """Enrolments and completions. A row that is saved here is recorded as an interaction."""

    list_display = ("created_at", "learner", "course")
    list_select_related = ("learner", "course")
    raw_id_fields = ("learner", "course")
