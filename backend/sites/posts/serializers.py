"""JSON of the blog's endpoints."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sites.posts.insight_texts import insights_of
from sites.posts.insights import EVENTS, MAX_WEEKS, WEEKS, Report
from sites.posts.models import Member
from sites.serializers import RoundedField, UserQuerySerializer
from tandem.api.serializers import DigitsField, SkipSerializer, StrictSerializer
from tandem.selectors.cache_statistics import Reuse

MAX_POSTS = 20


class PostResultSerializer(serializers.Serializer[Any]):
    """One recommended post: an entry of the list with the post as `item`, None while the database does not answer."""

    type = serializers.CharField(
        source="item.type", default="", help_text="blog, tutorial, question, news or showcase; empty if it cannot be read"
    )
    id = serializers.IntegerField(source="item_id")
    title = serializers.CharField(source="item.title", default="")
    excerpt = serializers.CharField(source="item.excerpt", default="", allow_blank=True)
    image = serializers.CharField(
        source="item.image_url", default="", allow_blank=True, help_text="Path under /media/, or empty"
    )
    score = serializers.FloatField()
    reasons = serializers.ListField(child=serializers.CharField())

    def to_representation(self, instance: Any) -> Any:
        """Return the JSON; without a post the title is that of the answer."""
        row = super().to_representation(instance)
        return row | {"title": row["title"] or instance["title"]}


class PostListSerializer(serializers.Serializer[Any]):
    """One member's posts; posts that were deleted since are left out."""

    results = PostResultSerializer(many=True, source="recommendations")
    method = serializers.CharField(source="method_used", help_text="The engine that answered: hybrid, or its replacement")
    request_id = serializers.UUIDField(help_text="Send it with the events that follow from this list")
    user_id = serializers.CharField(allow_null=True)
    method_used = serializers.CharField(help_text="The same as method, under the name that every site uses")
    degraded = serializers.BooleanField()
    degradation = SkipSerializer(many=True)
    interaction_count = serializers.IntegerField(min_value=0)
    generated_at = serializers.DateTimeField()


class ReuseSerializer(serializers.Serializer[Any]):
    """Lists of one day."""

    day = serializers.DateField()
    made = serializers.IntegerField(min_value=0)
    hits = serializers.IntegerField(min_value=0, allow_null=True)
    hit_rate = RoundedField(4, source="rate", allow_null=True, help_text="Share of lists from the cache")


class CacheHitsSerializer(serializers.Serializer[Any]):
    """How often cached lists were shown again."""

    use_case = serializers.CharField(source="surface.use_case.name")
    surface = serializers.CharField(source="surface.name")
    cache_seconds = serializers.IntegerField(source="surface.surface.cache_seconds")
    made = serializers.IntegerField(source="total.made", min_value=0)
    hits = serializers.IntegerField(source="total.hits", min_value=0)
    hit_rate = RoundedField(4, source="total.rate", allow_null=True)
    days = ReuseSerializer(many=True)

    def to_representation(self, instance: Any) -> Any:
        """Return the JSON; the totals are of the days with a count."""
        days = instance["days"]
        counted = [day for day in days if day.hits is not None]
        total = Reuse(days[0].day, sum(day.made for day in counted), sum(day.hits or 0 for day in counted))
        return super().to_representation(instance | {"total": total})


class NewInterestsSerializer(StrictSerializer):
    """Interests as the client sends them; `services.clean_interests` validates each one."""

    interests = serializers.JSONField(help_text="At most 20 texts of 1 to 40 characters")


class InterestsSerializer(serializers.ModelSerializer[Member]):
    """A member's interests, and which of them match posts."""

    user_id = serializers.CharField(source="pk")
    interests = serializers.ListField(child=serializers.CharField(max_length=40), max_length=20)
    unmatched = serializers.SerializerMethodField(help_text="Interests that no post has today")
    known = serializers.SerializerMethodField(help_text="Categories and tags of the published posts")

    class Meta:
        """Keys of the endpoint."""

        model = Member
        fields = ("user_id", "interests", "unmatched", "known")

    def get_unmatched(self, member: Member) -> list[str]:
        """Return interests that match no published post."""
        return [interest for interest in member.interests if interest not in self.context["known"]]

    def get_known(self, member: Member) -> list[str]:
        """Return all categories and tags."""
        return list(self.context["known"])


class InsightFiguresSerializer(serializers.Serializer[Any]):
    """Counts of events by name with an s, such as `views`, and results of shown lists."""

    shown = serializers.IntegerField(min_value=0)
    opened = serializers.IntegerField(min_value=0)
    ctr = serializers.FloatField(allow_null=True, help_text="opened / shown")
    went_on = serializers.IntegerField(min_value=0, help_text="Opened posts that were then liked, commented, kept or shared")

    def get_fields(self) -> dict[str, Any]:
        """Return a field for each event, then the fields above."""
        return {f"{event}s": serializers.IntegerField(min_value=0) for event in EVENTS} | super().get_fields()


class PostFiguresSerializer(InsightFiguresSerializer):
    """The figures of one post."""

    id = serializers.IntegerField()
    title = serializers.CharField()


class InsightSerializer(serializers.Serializer[Any]):
    """One insight: a sentence with its numbers."""

    insight = serializers.CharField(source="slug")
    title = serializers.CharField()
    sentence = serializers.CharField()
    numbers = serializers.DictField()


class InsightsSerializer(serializers.Serializer[Any]):
    """A creator's figures and insights, made from a Report."""

    user_id = serializers.CharField(source="creator.pk")
    name = serializers.CharField(source="creator.name")
    weeks = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    totals = InsightFiguresSerializer(source="total.as_dict")
    totals_before = InsightFiguresSerializer(source="total_before.as_dict")
    insights = serializers.SerializerMethodField()
    posts = serializers.SerializerMethodField(help_text="Own posts, the most viewed first, at most 20")

    @extend_schema_field(InsightSerializer(many=True))
    def get_insights(self, report: Report) -> list[Mapping[str, Any]]:
        """Return all insights of the report."""
        return list(InsightSerializer(insights_of(report), many=True).data)

    @extend_schema_field(PostFiguresSerializer(many=True))
    def get_posts(self, report: Report) -> list[Mapping[str, Any]]:
        """Return the most viewed posts with their figures."""
        posts = sorted(report.posts, key=lambda post: (-report.now[post.pk].count("view"), post.pk))[:MAX_POSTS]
        rows = [{"id": post.pk, "title": post.title, **report.now[post.pk].as_dict()} for post in posts]
        return list(PostFiguresSerializer(rows, many=True).data)


class InsightsQuerySerializer(UserQuerySerializer):
    """Query string of the insights."""

    weeks = DigitsField(min_value=1, max_value=MAX_WEEKS, default=WEEKS)
