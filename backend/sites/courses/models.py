"""A course platform: courses, learners, enrolments and completions."""

import uuid

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.text import get_text_list

from sites.base import Person


class Level(models.TextChoices):
    """Level of a course, and of a learner."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class Course(models.Model):
    """A course. Unpublished ones are never recommended."""

    slug = models.SlugField(primary_key=True, max_length=64, help_text="Such as course_python_basic; the item id everywhere")
    title = models.CharField(max_length=120)
    description = models.TextField(max_length=1000)
    category = models.CharField(max_length=40, db_index=True)
    level = models.CharField(max_length=12, choices=Level.choices)
    skills = models.JSONField(default=list, blank=True, help_text="What is learned, such as python")
    hours = models.PositiveSmallIntegerField(default=10, validators=[MinValueValidator(1)])
    created = models.DateField(default=timezone.localdate)
    is_published = models.BooleanField(default=True)

    class Meta:
        """By title, for the admin."""

        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class Learner(Person):
    """A learner."""

    id = models.SlugField(primary_key=True, max_length=64, help_text="Such as user1")
    interests = models.JSONField(default=list, blank=True, help_text="Favourite categories, such as data science")
    skills = models.JSONField(default=list, blank=True, help_text="What they want to learn, such as python")
    level = models.CharField(max_length=12, choices=Level.choices, blank=True)
    goal = models.CharField(max_length=80, blank=True)

    def describe(self) -> str:
        """Return a text such as "beginner, likes Python and SQL courses, wants to change careers"."""
        wants = f"likes {get_text_list(self.skills, 'and')} courses" if self.skills else ""
        goal = f"wants to {self.goal}" if self.goal else ""
        return ", ".join(filter(None, (self.level, wants, goal)))


class Taking(models.Model):
    """Base of enrolments and completions. Tandem syncs each row as an interaction."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """No table of its own; the newest first."""

        abstract = True
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.learner_id}: {self.course_id}"


class Enrolment(Taking):
    """A learner takes a course; `request_id` is of the list that showed it."""

    request_id = models.UUIDField(null=True, blank=True)

    class Meta(Taking.Meta):
        """Once per person and course."""

        constraints = [models.UniqueConstraint(fields=["learner", "course"], name="courses_taken_once")]


class Completion(Taking):
    """A learner has finished a course."""

    class Meta(Taking.Meta):
        """Once per person and course."""

        constraints = [models.UniqueConstraint(fields=["learner", "course"], name="courses_finished_once")]
