"""Headers that every answer carries."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

STRICT = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; img-src 'self' data:"
)
SWAGGER = f"{STRICT}; style-src 'self' 'unsafe-inline'"  # its page styles itself; scripts stay local files


class SecurityHeaders:
    """Content-Security-Policy without inline scripts, and no powers for pages that need none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the headers that the view did not set itself."""
        response = self._get_response(request)
        response.headers.setdefault("Content-Security-Policy", SWAGGER if _shows_swagger(request) else STRICT)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        return response


def _shows_swagger(request: HttpRequest) -> bool:
    return request.resolver_match is not None and request.resolver_match.url_name == "docs"
