"""Signals that a site may connect to."""

from django.dispatch import Signal

# Sent once per user and catalogue after new interactions or feedback are committed. Arguments: user_id (str), catalogue (str).
interaction_recorded = Signal()

# Sent by `tandem_retrain` for each catalogue that got a new model. Arguments: catalogue (str), versions (list of str).
models_published = Signal()

# Sent after a list was made and its impression recorded. Arguments: answer (dict), use_case (str), surface (str).
slate_shown = Signal()
