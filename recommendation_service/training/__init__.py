"""Trainers, and what measures and publishes their models: the only folder that imports torch or implicit."""

import os

# Read when libgomp is loaded: on a busy machine threads that spin while they wait cost several times the work itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
