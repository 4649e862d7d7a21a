"""Forms of the marketplace's pages."""

from typing import Any

from django import forms

from sites.cleaning.api.request_serializers import MARKS, MAX_EUROS, MAX_KM
from sites.cleaning.conf import MODES
from sites.cleaning.models import CleaningJob, Client, JobBid, Property, PropertyType, RecommendationFeedback, Review
from sites.cleaning.web.labels import MODE_NAMES


class ListForm(forms.Form):
    """Mode and filters of a list. Their names and values are those of the engine."""

    mode = forms.ChoiceField(required=False, choices=[(mode, MODE_NAMES[mode]) for mode in MODES])
    max_distance = forms.IntegerField(required=False, min_value=1, max_value=MAX_KM)
    max_price = forms.DecimalField(required=False, min_value=1, max_value=MAX_EUROS)
    property_type = forms.ChoiceField(required=False, choices=PropertyType.choices)
    eco = forms.BooleanField(required=False)

    def arguments(self) -> tuple[str | None, dict[str, Any]]:
        """Return mode and filters; none of both if the form is not valid."""
        values = {name: value for name, value in self.cleaned_data.items() if value} if self.is_valid() else {}
        return values.pop("mode", None), values


class JobForm(forms.ModelForm):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """A new job at one of the client's properties; without one, PropertyForm has a new property."""

    class Meta:
        """What the client writes."""

        model = CleaningJob
        fields = ("place", "hours", "budget", "wanted_for", "eco_friendly", "description")

    def __init__(self, data: Any, *, client: Client) -> None:
        super().__init__(data)
        place: Any = self.fields["place"]
        place.queryset, place.required = client.properties.all(), False


class PropertyForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """A new property."""

    class Meta:
        """All but the client."""

        model = Property
        fields = ("kind", "district", "size_m2", "latitude", "longitude")


class HireForm(forms.Form):
    """The accepted bid."""

    bid_id = forms.IntegerField(min_value=1)


class CompleteForm(forms.Form):
    """How a completed job went: the client says whether it was on time, the cleaner how many photos there are."""

    on_time = forms.NullBooleanField(required=False)
    photos = forms.IntegerField(required=False, min_value=0, max_value=1000)


class ReviewForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """Marks from 1 to 10."""

    class Meta:
        """What the client writes."""

        model = Review
        fields = (*MARKS, "comment")


class BidForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """A bid, and the list that showed the job."""

    request_id = forms.UUIDField(required=False)

    class Meta:
        """What the cleaner writes."""

        model = JobBid
        fields = ("amount", "message", "request_id")


class FeedbackForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """Feedback on one recommendation."""

    class Meta:
        """What the user writes."""

        model = RecommendationFeedback
        fields = ("feedback_type", "comment")
