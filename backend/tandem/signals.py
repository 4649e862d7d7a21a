"""Signals that a site may connect to."""

from django.dispatch import Signal

# Sent once per user and catalogue after new interactions or feedback are committed. Arguments: user_id (str), catalogue (str).
interaction_recorded = Signal()
