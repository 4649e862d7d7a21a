"""A drawn picture for each category, so that a card has one before anybody uploads a photograph."""

from hashlib import sha256

from django.utils.html import escape

from sites.posts.models import Post


def cover(slug: str) -> str | None:
    """An SVG for the category of that slug, the same each time; None where there is no such category."""
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
