"""Learns from recent interactions: the command of `app.scripts.update_online_model`."""

from app.scripts.update_online_model import main

__all__ = ["main"]
