"""`manage.py demo_staff`: the staff account of a demo, with the password in DEMO_STAFF_PASSWORD."""

import os
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Make the account `staff`, or set its password. Needs DEMO=true."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Set the password. Raises CommandError outside a demo, and without a password."""
        password = os.environ.get("DEMO_STAFF_PASSWORD", "")
        if not settings.STOREFRONT_DEMO:
            raise CommandError("this is no demo; make a staff account with: manage.py createsuperuser")
        if not password:
            raise CommandError("set DEMO_STAFF_PASSWORD to the password that the account shall have")
        staff, _ = get_user_model().objects.get_or_create(username="staff", defaults={"is_staff": True, "is_superuser": True})
        staff.set_password(password)
        staff.save(update_fields=["password"])
        self.stdout.write("staff: ready")
