"""View base classes that the sites share."""

from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView


class PrivateAPIView(APIView):
    """Responses belong to one visitor: no cache between server and visitor may store them."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the caching headers."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"], response["Vary"] = "private, no-store", "Authorization, Cookie"
        return response
