"""What the OpenAPI document says about tokens, and about serializers that use a pydantic model."""

from typing import Any

from drf_spectacular.contrib.pydantic import PydanticExtension
from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its __init_subclass__ has no types
    """A JWT in the Authorization header."""

    target_class = "tandem.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme's entry under securitySchemes."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From `manage.py issue_token`"}


class PydanticComponent(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # as above
    """The component of a PydanticSerializer is the JSON schema of its model."""

    target_class = "tandem.api.serializers.PydanticSerializer"
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        """Return the model's name: the same component where another model contains it."""
        set_override(type(self.target), "suppress_collision_warning", True)
        return str(self.target.model.__name__)

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        """Return the model's JSON schema; its nested models become components of their own."""
        extension: Any = PydanticExtension  # has no types
        return extension(self.target.model).map_serializer(auto_schema, direction)
