"""Signals that other apps may receive."""

from django.dispatch import Signal

# Sent once per user and catalogue after interactions or feedback were added, changed or removed, and the transaction
# is committed. Arguments: user_id (text), catalogue (text).
interaction_recorded = Signal()
