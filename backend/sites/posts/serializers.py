"""The shapes of the blog's answers, for the OpenAPI document."""

from typing import Any

from rest_framework import serializers

from tandem.api.serializers import SkipSerializer


class PostResultSerializer(serializers.Serializer[Any]):
    """One recommended post."""

    type = serializers.CharField(help_text="blog, tutorial, question, news or showcase")
    id = serializers.IntegerField()
    title = serializers.CharField()
    excerpt = serializers.CharField(allow_blank=True)
    image = serializers.CharField(allow_blank=True, help_text="Address under /media/; empty where the post has none")
    score = serializers.FloatField()
    reasons = serializers.ListField(child=serializers.CharField())


class PostListSerializer(serializers.Serializer[Any]):
    """One member's posts."""

    results = PostResultSerializer(many=True)
    method = serializers.CharField(help_text="The engine that really answered: hybrid, or what stood in for it")
    request_id = serializers.UUIDField(help_text="Send it back with what the member then does")
    user_id = serializers.CharField(allow_null=True)
    method_used = serializers.CharField(help_text="The same as method, in every site's word")
    degraded = serializers.BooleanField()
    degradation = SkipSerializer(many=True)
    interaction_count = serializers.IntegerField(min_value=0)
    generated_at = serializers.DateTimeField()


class ReuseSerializer(serializers.Serializer[Any]):
    """One day's lists."""

    day = serializers.DateField()
    made = serializers.IntegerField(min_value=0)
    hits = serializers.IntegerField(min_value=0, allow_null=True)
    hit_rate = serializers.FloatField(allow_null=True)


class CacheHitsSerializer(serializers.Serializer[Any]):
    """How often kept lists were shown again."""

    use_case = serializers.CharField()
    surface = serializers.CharField()
    cache_seconds = serializers.IntegerField()
    made = serializers.IntegerField(min_value=0)
    hits = serializers.IntegerField(min_value=0)
    hit_rate = serializers.FloatField(allow_null=True)
    days = ReuseSerializer(many=True)


class WordsSerializer(serializers.Serializer[Any]):
    """Interests as they are sent."""

    interests = serializers.ListField(child=serializers.CharField(max_length=40), max_length=20)


class InterestsSerializer(WordsSerializer):
    """Interests as they stand."""

    user_id = serializers.CharField()
    unmatched = serializers.ListField(child=serializers.CharField(), help_text="Interests that no post carries today")
    known = serializers.ListField(child=serializers.CharField(), help_text="Every category and tag there is")


class InsightSerializer(serializers.Serializer[Any]):
    """One thing worth knowing, with its numbers."""

    insight = serializers.CharField()
    title = serializers.CharField()
    sentence = serializers.CharField()
    numbers = serializers.DictField()


class InsightsSerializer(serializers.Serializer[Any]):
    """A creator's figures, and what they say."""

    user_id = serializers.CharField()
    name = serializers.CharField()
    weeks = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    totals = serializers.DictField()
    totals_before = serializers.DictField()
    insights = InsightSerializer(many=True)
    posts = serializers.ListField(child=serializers.DictField(), help_text="Own posts, the most viewed first, at most 20")
