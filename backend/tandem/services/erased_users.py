"""Keyed hashes of the ids of erased users. They keep an erased user from coming back, and do not show the id."""

import hmac
from collections.abc import Collection, Iterator
from hashlib import sha256

from django.conf import settings

from tandem.models import ErasedUser


def remember_erased(user_ids: Collection[str]) -> None:
    """Store the hash of each user id."""
    rows = [ErasedUser(hash=next(_hashes(user_id))) for user_id in sorted(user_ids)]
    ErasedUser.objects.bulk_create(rows, ignore_conflicts=True)


def erased_among(user_ids: Collection[str]) -> set[str]:
    """Return those of the user ids that were erased."""
    ids_of = {digest: user_id for user_id in user_ids for digest in _hashes(user_id)}
    return {ids_of[digest] for digest in ErasedUser.objects.filter(hash__in=ids_of).values_list("hash", flat=True)}


def _hashes(user_id: str) -> Iterator[str]:
    """Yield the hash with the current key, then with the keys that were replaced."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield hmac.new(f"tandem.erased:{key}".encode(), user_id.encode(), sha256).hexdigest()
