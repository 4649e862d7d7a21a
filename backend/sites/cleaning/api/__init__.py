"""The marketplace's REST API: permissions, visibility, serializers and view sets."""
