"""Template tags: `{% load tandem %}`.

{% recommendations "for-candidate" limit=8 as jobs %}
{% for entry in jobs %}<a href="{{ entry.click_url }}">{{ entry.object.title }}</a>{% endfor %}

{% recommendation_list "similar" item=product %}
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.template import Context

from recommendation_service.domain.request import DEFAULT_LIMIT
from tandem.slates import Slate, SlateItem, slate

register = template.Library()
REQUEST_USER = object()


@register.simple_tag(takes_context=True)
def recommendations(
    context: Context,
    surface: str,
    *,
    user: Any = REQUEST_USER,
    item: Any = None,
    items: Sequence[Any] = (),
    limit: int = DEFAULT_LIMIT,
    exclude: Iterable[Any] = (),
    **filters: Any,
) -> Slate:
    """Return the list of a surface; `user` is the request's user if it is left out. `exclude` are other lists of the
    page, items or ids. Other arguments are filters.
    """
    if user is REQUEST_USER:
        user = getattr(context.get("request"), "user", None)
    chosen = {name: _texts(value) for name, value in filters.items()}
    return slate(surface, user=user, item=item, items=items, limit=limit, filters=chosen, exclude=exclude)


@register.inclusion_tag("tandem/list.html", takes_context=True)
def recommendation_list(context: Context, surface: str | Slate, *, title: str = "", **arguments: Any) -> dict[str, Any]:
    """Show a list with the default cards: `surface` is a name, with the arguments of `recommendations`, or a slate."""
    shown = surface if isinstance(surface, Slate) else recommendations(context, surface, **arguments)
    return {"slate": shown, "title": title or shown.title}


@register.filter
def event_url(entry: SlateItem, event: str) -> str:
    """Return the address to which a page posts an event with this item: `{{ entry|event_url:"dismiss" }}`."""
    return entry.event(event).url("tandem:event")


def _texts(value: Any) -> list[str]:
    """Return one value or several as texts."""
    return [str(value)] if isinstance(value, str | int) else [str(part) for part in value]
