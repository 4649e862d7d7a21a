"""How a member's own pages look: two choices, told to the browser as a stylesheet of a few lines.

A stylesheet of its own, because the pages' Content-Security-Policy forbids styles inside of them.
"""

from typing import Any

from django.core.exceptions import ValidationError

from recommendation_service.errors import InvalidInput
from sites.posts.models import ACCENT_COLOR, FONT_SIZE, FONT_SIZES, Member, is_color

DARK, LIGHT = "#000000", "#ffffff"


def stylesheet(member: Member) -> str:
    """The member's colour and size as CSS variables; what was stored wrongly past the form is the default again."""
    color = member.accent_color if _is_color(member.accent_color) else ACCENT_COLOR
    size = member.font_size if FONT_SIZES[0] <= member.font_size <= FONT_SIZES[1] else FONT_SIZE
    return f":root {{ --mine: {color}; --on-mine: {readable_on(color)}; }}\nhtml {{ font-size: {size}px; }}\n"


def set_theme(member: Member, *, accent_color: Any, font_size: Any) -> None:
    """Store both choices. Raises InvalidInput naming the wrong one, and then stores neither."""
    member.accent_color = str(accent_color).strip().lower()
    member.font_size = font_size
    try:
        member.full_clean(exclude=[field.name for field in member._meta.fields if field.name not in CHOICES])
    except ValidationError as error:
        told = {name: " ".join(messages) for name, messages in error.message_dict.items()}
        fields = {f"/{name}": reason for name, reason in told.items()}
        raise InvalidInput("; ".join(f"{name}: {reason}" for name, reason in told.items()), fields=fields) from error
    member.save(update_fields=CHOICES)


CHOICES = ("accent_color", "font_size")


def readable_on(color: str) -> str:
    """Black or white, whichever stands out more on a colour (relative luminance of WCAG 2.2)."""
    channels = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    luminance = sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return DARK if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else LIGHT


def _is_color(text: str) -> bool:
    try:
        is_color(text)
    except ValidationError:
        return False
    return True
