"""The log lines of the service: `recommendation_service.web.log_output`."""

from recommendation_service.web.log_output import start_logging

__all__ = ["start_logging"]
