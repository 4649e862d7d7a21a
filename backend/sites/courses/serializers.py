"""JSON of the course platform's endpoints."""

from typing import Any

from rest_framework import serializers

from sites.serializers import RoundedField
from storefront.labels import method_description
from tandem.api.serializers import DigitsField, QuerySerializer, SkipSerializer
from tandem.selectors.impressions import MAX_DAYS
from tandem.use_cases import load


class CourseSerializer(serializers.Serializer[Any]):
    """One recommended course: an entry of the list with the course as `item`, None if it cannot be read."""

    course_id = serializers.CharField(source="item_id", max_length=64)
    title = serializers.CharField(source="item.title", default="")
    category = serializers.CharField(source="item.category", default="", allow_blank=True)
    level = serializers.CharField(source="item.level", default="", allow_blank=True)
    hours = serializers.IntegerField(source="item.hours", default=None, allow_null=True)
    skills = serializers.ListField(source="item.skills", default=list, child=serializers.CharField())
    score = serializers.FloatField(help_text="Descending; comparable within one answer only")
    position = serializers.IntegerField(min_value=1)
    reason = serializers.SerializerMethodField(help_text="With explain=true only")
    parts = serializers.DictField(child=serializers.FloatField(), required=False, help_text="With explain=true only")

    def get_reason(self, entry: Any) -> str:
        """Return the course's reasons, or what the engine does if there are none."""
        answer: Any = self.root.instance
        return "; ".join(entry["reasons"]) or method_description(load("courses"), answer["method_used"])

    def to_representation(self, instance: Any) -> Any:
        """Return the JSON; `reason` and `parts` only if the client requested an explanation."""
        row = super().to_representation(instance)
        row["title"] = row["title"] or instance["title"]
        if self.context["request"].query_params.get("explain") not in ("true", "1"):
            del row["reason"], row["parts"]
        return row


class CourseListSerializer(serializers.Serializer[Any]):
    """One list of courses."""

    request_id = serializers.UUIDField(help_text="Send it with the events that follow from this list")
    user_id = serializers.CharField(allow_null=True)
    strategy = serializers.SerializerMethodField(help_text="The requested one, else the engine that answered")
    method_used = serializers.CharField(help_text="Name of the engine that answered")
    model_version = serializers.CharField(allow_blank=True)
    degraded = serializers.BooleanField()
    degradation = SkipSerializer(many=True)
    probabilities = serializers.DictField(child=serializers.FloatField(), help_text="Probability of each strategy to be first")
    generated_at = serializers.DateTimeField()
    recommendations = CourseSerializer(many=True)

    def get_strategy(self, answer: Any) -> str:
        """Return the strategy of the query, or the engine that answered."""
        return self.context["request"].query_params.get("strategy") or str(answer["method_used"])


class DaysQuerySerializer(QuerySerializer):
    """Query string of the statistics."""

    days = DigitsField(min_value=1, max_value=MAX_DAYS, required=False, help_text="How many days back, today included")


class CountsSerializer(serializers.Serializer[Any]):
    """Counts of some shown lists."""

    num_lists = serializers.IntegerField(source="lists", min_value=0)
    num_recommendations = serializers.IntegerField(source="shown", min_value=0, help_text="Courses shown in those lists")
    num_clicks = serializers.IntegerField(source="clicks", min_value=0, help_text="A list and course count once")
    num_enrolls = serializers.IntegerField(source="conversions", min_value=0, help_text="Counted like clicks")
    ctr = RoundedField(min_value=0, max_value=1, help_text="num_clicks / num_recommendations")
    enroll_rate = RoundedField(source="conversion_rate", min_value=0, max_value=1)


class CategorySerializer(serializers.Serializer[Any]):
    """A category, and its number of clicked or enrolled courses."""

    category = serializers.CharField()
    count = serializers.IntegerField(min_value=1)


class PopularSerializer(serializers.Serializer[Any]):
    """A course, and how many people chose it recently."""

    course_id = serializers.CharField()
    title = serializers.CharField()
    people = serializers.IntegerField(min_value=1)


class AnsweredSerializer(CountsSerializer):
    """A course and its results."""

    course_id = serializers.CharField(source="item_id")
    title = serializers.CharField(allow_blank=True)


class ShareSerializer(CountsSerializer):
    """A strategy's lists."""

    strategy = serializers.CharField(source="name")
    share = RoundedField(min_value=0, max_value=1, help_text="Of all lists")


class DaySerializer(CountsSerializer):
    """The lists of one day (UTC)."""

    date = serializers.DateField(source="day")


class PeriodSerializer(CountsSerializer):
    """Counts of the lists of a period. The counts are those of the report's `totals`."""

    since = serializers.DateTimeField(source="window.since")
    until = serializers.DateTimeField(source="window.until")
    top_categories = CategorySerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Read the counts from `totals`."""
        fields = super().get_fields()
        for name, field in CountsSerializer().get_fields().items():
            field.source = f"totals.{field.source or name}"
            fields[name] = field
        return fields


class LearnerStatsSerializer(PeriodSerializer):
    """Statistics of one learner."""

    user_id = serializers.CharField()


class GlobalStatsSerializer(PeriodSerializer):
    """Statistics of all learners."""

    most_popular_courses = PopularSerializer(many=True)
    most_answered_courses = AnsweredSerializer(many=True)
    strategy_distribution = ShareSerializer(many=True)
    daily_stats = DaySerializer(many=True)
