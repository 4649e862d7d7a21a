"""The module names of the courses requirements, as thin commands over `recommendation_service` and the Django site."""
