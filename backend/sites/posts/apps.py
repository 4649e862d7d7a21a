"""The blog and community."""

from django.apps import AppConfig


class PostsConfig(AppConfig):
    """Posts of several types, the members who read and write them, and what the writers learn of their readers."""

    name = "sites.posts"
    label = "posts"
    verbose_name = "Posts"

    def ready(self) -> None:
        """Keep counts and kept lists in step with what people do."""
        # models are importable only once the apps are ready
        from sites.posts import engagement_counters

        engagement_counters.connect()
