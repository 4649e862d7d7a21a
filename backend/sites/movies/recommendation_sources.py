"""What the film site declares to Tandem."""

from typing import Any

from sites.movies.models import Movie, Viewer
from tandem.sources import ItemSource


class Movies(ItemSource):
    """Every film, for everyone who rates."""

    catalogue = "movies"
    queryset = Movie.objects.all()
    text = ("title",)
    tags = "genres"
    filters = ("genres", "decade")
    profiles = (Viewer.objects.all(),)
    profile_fields = ("favourite_genres", "age_band", "gender", "occupation")
    surfaces = {"movies.Viewer": "for-you"}
    page_events = ("view", "like")
    page_search = ("label",)
    page_first = "is_demo"

    @classmethod
    def describe(cls, person: Viewer) -> str:
        """What the release tells of a viewer, and what they ticked at sign-up."""
        return person.describe()

    @classmethod
    def card(cls, item: Movie) -> dict[str, Any]:
        """Title with year, and genres."""
        return {**super().card(item), "facts": (item.decade,) if item.decade else ()}
