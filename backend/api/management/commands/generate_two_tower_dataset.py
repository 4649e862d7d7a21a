"""`manage.py generate_two_tower_dataset` under the path that the startups list names."""

from tandem.management.commands.generate_two_tower_dataset import Command

__all__ = ["Command"]
