"""`manage.py generate_als_dataset` under the path that the startups list names."""

from tandem.management.commands.generate_als_dataset import Command

__all__ = ["Command"]
