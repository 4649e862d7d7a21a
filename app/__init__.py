"""The courses list's own names for what `recommendation_service` and the Django site do: thin commands, no logic."""
