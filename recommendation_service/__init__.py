"""The recommendation service: training, serving, and the core that it shares with the Django app `tandem`."""

__version__ = "0.3.0"
