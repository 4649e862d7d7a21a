"""Syncs the shop's products and embeds them: the same as `python backend/manage.py sync_products`."""

import os
import sys
from pathlib import Path

BACKEND = Path(__file__).resolve().parents[1] / "backend"


def main(argv: list[str]) -> None:
    """Options are the command's own; see --help."""
    sys.path[:0] = [str(BACKEND), str(BACKEND.parent)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    from django.core.management import execute_from_command_line  # Django is found by the paths above

    execute_from_command_line(["sync_products.py", "sync_products", *argv])


if __name__ == "__main__":
    main(sys.argv[1:])
