"""What the two sites declare, and what an undeclared word means."""

from collections.abc import Iterator
from datetime import date

import pytest

from recommendation_service.use_cases.loader import load
from sites.cleaning.models import Cleaner
from sites.movies.models import Movie, Viewer
from sites.startups.models import Developer, Investor, Startup
from tandem import sources
from tandem.sources import ItemSource, all_sources, source_of


@pytest.fixture
def bare() -> Iterator[type[ItemSource]]:
    """A second look at films with nothing declared but where they are; taken back afterwards."""

    class Films(ItemSource):
        catalogue = "films"
        use_case = "movies"
        queryset = Movie.objects.all()
        text = ("title",)
        profile_fields = ("occupation", "nothing_of_the_kind")

    yield Films
    sources._registry.pop("films")


def test_both_sites_are_found_by_name() -> None:
    assert {"movies", "startups"} <= {source.catalogue for source in all_sources()}


def test_every_button_is_an_event_and_every_surface_exists() -> None:
    for source in all_sources():
        use_case = load(source.use_case or source.catalogue)
        assert set(source.page_events) <= set(use_case.events)
        for people in source.profiles:
            assert source.surface_for(people.model()) in {*use_case.surfaces, ""}
            assert set(source.events_for(people.model())) <= set(source.page_events)


def test_a_startup_is_told_in_the_words_that_people_use() -> None:
    source = source_of("startups")
    assert source is not None
    words = {"name": "Coinloop", "pitch": "Pays.", "sector": "fintech", "stage": "seed", "ticket": "10k-50k"}
    startup = Startup(**words, skills=["python"], founded_at=date(2025, 1, 2))
    record = source.record(startup)
    assert (record.title, record.category, record.tags) == ("Coinloop", "fintech", ("python",))
    assert record.attributes == {"sector": ("fintech",), "stage": ("seed",), "skills": ("python",), "ticket": ("10k-50k",)}
    assert source.profile(Developer(sectors=["fintech"], skills=["python"])) == {"sectors": ("fintech",), "skills": ("python",)}
    assert source.profile(Investor(stage="seed", ticket="10k-50k")) == {"stage": ("seed",), "ticket": ("10k-50k",)}


def test_a_film_is_told_with_its_decade() -> None:
    source = source_of("movies")
    assert source is not None
    record = source.record(Movie(id="1", title="Toy Story (1995)", year=1995, genres=["Comedy"]))
    assert record.attributes == {"genres": ("Comedy",), "decade": ("1990s",)}
    assert record.category is None
    assert source.record(Movie(id="2", title="Nameless")).attributes == {"genres": (), "decade": ()}


@pytest.mark.parametrize(
    ("person", "said"),
    [
        (Developer(sectors=["fintech"], skills=["python", "go"]), "developer, likes fintech, knows python and go"),
        (Developer(), "developer"),
        (Investor(sectors=["music", "food"], stage="seed"), "investor, likes music and food, funds seed"),
        (Viewer(id="1", favourite_genres=["Drama", "War"]), "ticked Drama and War at sign-up"),
        (Viewer(id="1"), ""),
    ],
)
def test_people_are_described_in_one_line(person: Developer | Investor | Viewer, said: str) -> None:
    assert person.describe() == said


def test_without_a_declaration_the_use_cases_first_surface_answers(bare: type[ItemSource]) -> None:
    class Elsewhere(bare):  # type: ignore[misc, valid-type]  # a fixture's class
        catalogue = "movies_again"

    sources._registry.pop("movies_again")
    Elsewhere.catalogue = "movies"
    assert Elsewhere.surface_for(Viewer(id="1")) == "for-you"


def test_where_no_list_is_about_a_person_there_is_no_surface_for_them(bare: type[ItemSource]) -> None:
    assert bare.surface_for(Viewer(id="1")) == ""


def test_a_relation_that_nobody_made_yet_is_empty() -> None:
    assert sources.values_of(Cleaner(name="Maria"), "standing__primary_property_type") == ()


def test_a_prefix_tells_people_of_one_number_apart(bare: type[ItemSource]) -> None:
    assert bare.user_id(Viewer(id="7")) == "7"
    bare.id_prefixes = {"movies.Viewer": "viewer-"}
    assert bare.user_id(Viewer(id="7")) == "viewer-7"


def test_a_profile_field_that_a_person_lacks_is_left_out(bare: type[ItemSource]) -> None:
    assert bare.profile(Viewer(id="1", occupation="writer")) == {"occupation": ("writer",)}
    assert bare.describe(Viewer(id="1", occupation="writer")) == "occupation: writer"


def test_a_person_is_found_by_id_whatever_the_id_looks_like() -> None:
    source = source_of("startups")
    assert source is not None
    assert source.person("not-a-uuid") is None


def test_without_a_word_on_buttons_every_event_that_says_yes_is_one(bare: type[ItemSource]) -> None:
    assert bare.events_for(Viewer()) == ("view", "like")
