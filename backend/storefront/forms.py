"""Forms of the shared pages."""

from typing import Any

from django import forms

from storefront.actions import INVALID_REQUEST_ID


class ActionForm(forms.Form):
    """One click on a button of a list: who clicked which button on which item, and the list that it answers.

    All values are texts of a hidden field. `request_id` becomes the canonical text of a UUID, or None if the list was not
    recorded. Whether the person, the item and the event exist is checked by the view, which knows the site.
    """

    person = forms.CharField(max_length=200)
    event = forms.CharField(max_length=64)
    item_id = forms.CharField(max_length=200)
    request_id = forms.UUIDField(required=False, error_messages={"invalid": INVALID_REQUEST_ID})
    method = forms.CharField(required=False, max_length=64)
    by = forms.CharField(required=False, max_length=64)

    def clean_request_id(self) -> str | None:
        """Return the id as text."""
        value: Any = self.cleaned_data["request_id"]
        return None if value is None else str(value)

    def value(self, name: str) -> str:
        """Return one field, also while another field is not valid; empty if this field is missing or not valid."""
        return str(self.cleaned_data.get(name) or "")

    def problem(self) -> str:
        """Return the reasons why the form is not valid, without a full stop; empty if it is valid."""
        reasons = (f"{name} {'; '.join(map(str, texts))}" for name, texts in self.errors.items() if name != "request_id")
        return "; ".join([*(str(text).rstrip(".") for text in reasons), *map(str, self.errors.get("request_id", ()))])
