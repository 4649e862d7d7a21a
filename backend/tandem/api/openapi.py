"""What the OpenAPI document says about our tokens."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its __init_subclass__ has no types
    """A JWT in the Authorization header."""

    target_class = "tandem.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The scheme's entry under securitySchemes."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From `manage.py issue_token`"}
