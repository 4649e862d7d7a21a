"""Which kinds of mail a customer takes."""

from collections.abc import Mapping

from django.utils import timezone

from sites.shop.models import Customer, EmailCampaign, UserEmailPreference

KINDS: tuple[str, ...] = tuple(EmailCampaign.Kind.values)


def preferences_of(*, customer: Customer) -> dict[str, bool]:
    """Every kind, and whether the customer takes it; those who never said take all."""
    row = UserEmailPreference.objects.filter(pk=customer.pk).first() or UserEmailPreference(customer=customer)
    return {kind: bool(getattr(row, kind)) for kind in KINDS}


def change_preferences(*, customer: Customer, wanted: Mapping[str, bool]) -> dict[str, bool]:
    """Change some or all of them; the others stay. Gives all as they are now."""
    fresh = {**wanted, "updated_at": timezone.now()}
    UserEmailPreference.objects.update_or_create(customer=customer, defaults=fresh)
    return preferences_of(customer=customer)
