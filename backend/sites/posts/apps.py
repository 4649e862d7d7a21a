"""The blog and community."""

from django.apps import AppConfig


class PostsConfig(AppConfig):
    """Posts of several types, their readers and writers, and the writers' insights."""

    name = "sites.posts"
    label = "posts"
    verbose_name = "Posts"

    def ready(self) -> None:
        """Connect the counters to the signals."""
        # models can be imported only when the apps are ready
        from sites.posts import engagement_counters

        engagement_counters.connect()
