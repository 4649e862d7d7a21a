"""The film site's declaration for Tandem."""

from typing import Any

from sites.movies.models import Movie, Viewer
from tandem.sources import ItemSource


class Movies(ItemSource):
    """Every film, for all viewers."""

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
        """Return the genres that a viewer chose at sign-up."""
        return person.describe()

    @classmethod
    def card(cls, item: Movie) -> dict[str, Any]:
        """Return the title with year, and the genres."""
        return {**super().card(item), "facts": (item.decade,) if item.decade else ()}
