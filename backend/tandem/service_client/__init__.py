"""The hop to the recommendation service: HTTP client, tokens, and checks of its answers."""
