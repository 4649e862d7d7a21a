"""Forms of the members' pages."""

from typing import Any

from django import forms
from django.http import QueryDict

from recommendation_service.errors import InvalidInput
from sites.posts import services
from sites.posts.insights import MAX_WEEKS, WEEKS
from sites.posts.models import Member


class ThemeForm(forms.ModelForm):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """Colour and font size of a member's own pages."""

    class Meta:
        """The two choices."""

        model = Member
        fields = ("accent_color", "font_size")

    def clean_accent_color(self) -> str:
        """Return the colour in lower case."""
        return str(self.cleaned_data["accent_color"]).lower()


class InterestsForm(forms.Form):
    """Interests in one line, separated by commas."""

    interests = forms.CharField(required=False)

    def clean_interests(self) -> list[str]:
        """Return the interests in lower case. Raises ValidationError that names the wrong one."""
        texts = [part.strip() for part in self.cleaned_data["interests"].split(",")]
        try:
            return services.clean_interests([text for text in texts if text])
        except InvalidInput as error:
            raise forms.ValidationError(error.message) from error


class WeeksForm(forms.Form):
    """How many weeks of figures a page shows."""

    weeks = forms.IntegerField(min_value=1, max_value=MAX_WEEKS)

    @classmethod
    def weeks_of(cls, data: QueryDict) -> int:
        """Return the requested number of weeks; the default for none or an invalid one."""
        form = cls(data)
        return int(form.cleaned_data["weeks"]) if form.is_valid() else WEEKS


def error_text(form: forms.BaseForm) -> str:
    """Return the errors of a form in one line."""
    errors: dict[str, Any] = form.errors
    return "; ".join(f"{name}: {' '.join(reasons)}" for name, reasons in errors.items())
