"""The shapes of answers, for the OpenAPI document; answers themselves leave as the bytes they are."""

from typing import Any

from rest_framework import serializers


class SkipSerializer(serializers.Serializer[Any]):
    """What should have answered and did not."""

    engine = serializers.CharField(help_text="An engine's name, or 'service': the whole recommendation service")
    code = serializers.CharField(
        help_text="Of an engine: switched_off, not_trained, refused, no_prediction, failed, partial. Of the service: "
        "unreachable, timeout, bad_answer, circuit_open, item_not_exported, misconfigured. "
        "Of a ranker: timeout, failed, refused. Also seen_everything: nothing unseen was left, so popular items come again; "
        "and nothing_left: every item is hidden, disliked or filtered away."
    )
    detail = serializers.CharField()


class StageSerializer(serializers.Serializer[Any]):
    """What one stage of the pipeline did."""

    name = serializers.CharField()
    ms = serializers.FloatField(help_text="When the list was made; a kept list keeps its own")
    detail = serializers.CharField(allow_blank=True)


class RecommendationSerializer(serializers.Serializer[Any]):
    """One shown item."""

    item_id = serializers.CharField(max_length=64)
    title = serializers.CharField(allow_blank=True)
    score = serializers.FloatField(help_text="Descending; comparable within one answer only")
    position = serializers.IntegerField(min_value=1)
    reasons = serializers.ListField(child=serializers.CharField())
    parts = serializers.DictField(child=serializers.FloatField(), help_text="Engine -> its share; {} without explain")


class AnswerSerializer(serializers.Serializer[Any]):
    """One list of recommendations."""

    request_id = serializers.UUIDField(help_text="Send it back with what the user then does")
    use_case = serializers.CharField()
    surface = serializers.CharField()
    user_id = serializers.CharField(max_length=64, allow_null=True, help_text="null: for nobody in particular")
    method_used = serializers.CharField(help_text="Name of the engine that answered")
    degraded = serializers.BooleanField(help_text="True when what should have answered did not; degradation says why")
    degradation = SkipSerializer(many=True)
    model_version = serializers.CharField(allow_blank=True)
    generated_at = serializers.DateTimeField()
    interaction_count = serializers.IntegerField(min_value=0)
    probabilities = serializers.DictField(
        child=serializers.FloatField(), help_text="Engine -> chance of having gone first; {} when no chance played"
    )
    stages = StageSerializer(many=True, help_text="With explain: how the list was made")
    recommendations = RecommendationSerializer(many=True)


class ProblemPartSerializer(serializers.Serializer[Any]):
    """One wrong input."""

    pointer = serializers.CharField(help_text="JSON pointer into the body, or /name of a parameter")
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField(help_text="Stable word for programs")
    request_id = serializers.CharField()
    errors = ProblemPartSerializer(many=True)  # type: ignore[assignment]  # RFC 9457 leaves the name to us, and clients know this one
