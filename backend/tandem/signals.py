"""What other parts may listen to."""

from django.dispatch import Signal

# Sent once per user and catalogue after new interactions or feedback are committed: user_id (text), catalogue (text).
interaction_recorded = Signal()
