"""Generated style and pictures: a member's theme as a stylesheet, and a cover for each category.

The theme is a stylesheet of its own because the pages' Content-Security-Policy forbids inline styles.
"""

from hashlib import sha256

from django.core.exceptions import ValidationError
from django.utils.html import escape

from sites.posts.models import ACCENT_COLOR, FONT_SIZE, FONT_SIZES, Member, Post, is_color

DARK, LIGHT = "#000000", "#ffffff"


def stylesheet(member: Member) -> str:
    """Return the member's colour and size as CSS variables; the default replaces an invalid stored value."""
    try:
        is_color(member.accent_color)
        color = member.accent_color
    except ValidationError:
        color = ACCENT_COLOR
    size = member.font_size if FONT_SIZES[0] <= member.font_size <= FONT_SIZES[1] else FONT_SIZE
    return f":root {{ --mine: {color}; --on-mine: {readable_on(color)}; }}\nhtml {{ font-size: {size}px; }}\n"


def readable_on(color: str) -> str:
    """Return black or white, whichever has more contrast on this colour (relative luminance of WCAG 2.2)."""
    channels = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    luminance = sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return DARK if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else LIGHT


def cover(slug: str) -> str | None:
    """Return an SVG for the category with that slug, always the same; None if no post has the category."""
    name = slug.replace("-", " ")
    if not Post.objects.filter(category=name).exists():
        return None
    hue = int(sha256(slug.encode()).hexdigest()[:4], 16) % 360
    rings = "".join(f'<circle cx="{80 + 60 * step}" cy="180" r="{40 + 22 * step}"/>' for step in range(4))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 225" role="img">'
        f'<rect width="400" height="225" fill="hsl({hue} 45% 34%)"/>'
        f'<g fill="none" stroke="hsl({hue} 55% 62%)" stroke-width="10">{rings}</g>'
        f'<text x="24" y="60" fill="#fff" font-family="system-ui,sans-serif" font-size="38">{escape(name)}</text></svg>'
    )
