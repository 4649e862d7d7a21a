"""The shapes of this site's answers, for the OpenAPI document; answers themselves leave as the bytes they are."""

from typing import Any

from rest_framework import serializers

from tandem.api.serializers import SkipSerializer


class CourseSerializer(serializers.Serializer[Any]):
    """One shown course."""

    course_id = serializers.CharField(max_length=64)
    title = serializers.CharField()
    category = serializers.CharField(allow_blank=True)
    level = serializers.CharField(allow_blank=True)
    hours = serializers.IntegerField(allow_null=True)
    skills = serializers.ListField(child=serializers.CharField())
    score = serializers.FloatField(help_text="Descending; comparable within one answer only")
    position = serializers.IntegerField(min_value=1)
    reason = serializers.CharField(required=False, help_text="With explain=true only")
    parts = serializers.DictField(child=serializers.FloatField(), required=False, help_text="With explain=true only")


class CourseListSerializer(serializers.Serializer[Any]):
    """One list of courses."""

    request_id = serializers.UUIDField(help_text="Send it back with what the person then does")
    user_id = serializers.CharField(allow_null=True)
    strategy = serializers.CharField(help_text="The one asked for, else the engine that answered")
    method_used = serializers.CharField(help_text="Name of the engine that answered")
    model_version = serializers.CharField(allow_blank=True)
    degraded = serializers.BooleanField()
    degradation = SkipSerializer(many=True)
    probabilities = serializers.DictField(child=serializers.FloatField(), help_text="Strategy -> chance of having gone first")
    generated_at = serializers.DateTimeField()
    recommendations = CourseSerializer(many=True)


class CountsSerializer(serializers.Serializer[Any]):
    """Counts of some shown lists."""

    num_lists = serializers.IntegerField(min_value=0)
    num_recommendations = serializers.IntegerField(min_value=0, help_text="Courses shown in those lists")
    num_clicks = serializers.IntegerField(min_value=0, help_text="A list and course count once")
    num_enrolls = serializers.IntegerField(min_value=0, help_text="As clicks")
    ctr = serializers.FloatField(min_value=0, max_value=1, help_text="num_clicks / num_recommendations")
    enroll_rate = serializers.FloatField(min_value=0, max_value=1)


class CategorySerializer(serializers.Serializer[Any]):
    """A category, and how many clicked or enrolled courses it holds."""

    category = serializers.CharField()
    count = serializers.IntegerField(min_value=1)


class SpanSerializer(CountsSerializer):
    """Counts of the lists shown in a span of time."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    top_categories = CategorySerializer(many=True)


class LearnerStatsSerializer(SpanSerializer):
    """One person's figures."""

    user_id = serializers.CharField()


class PopularSerializer(serializers.Serializer[Any]):
    """A course, and how many people chose it lately."""

    course_id = serializers.CharField()
    title = serializers.CharField()
    people = serializers.IntegerField(min_value=1)


class AnsweredSerializer(CountsSerializer):
    """A course, and what came of showing it."""

    course_id = serializers.CharField()
    title = serializers.CharField(allow_blank=True)


class ShareSerializer(CountsSerializer):
    """A strategy's lists."""

    strategy = serializers.CharField()
    share = serializers.FloatField(min_value=0, max_value=1, help_text="Of all lists")


class DaySerializer(CountsSerializer):
    """The lists of one day of UTC."""

    date = serializers.DateField()


class EverybodySerializer(SpanSerializer):
    """Everybody's figures."""

    most_popular_courses = PopularSerializer(many=True)
    most_answered_courses = AnsweredSerializer(many=True)
    strategy_distribution = ShareSerializer(many=True)
    daily_stats = DaySerializer(many=True)
