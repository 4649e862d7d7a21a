"""What is found by name, and what is told where something is missing."""

import pytest

from recommendation_service.engines.popularity import Popularity
from recommendation_service.errors import ConfigurationError, NotFound, Unavailable
from recommendation_service.services.runtime import CatalogueRuntime, Runtime, UseCaseRuntime
from recommendation_service.tests.pipeline.test_resolve_contexts import CLEANERS, CLEANING, JOBS


def shelf(of: str) -> CatalogueRuntime:
    catalogue = {"cleaners": CLEANERS, "jobs": JOBS}[of]
    return CatalogueRuntime(catalogue, {"popular": Popularity("popular", catalogue)})


def runtime(*catalogues: str) -> Runtime:
    return Runtime.of([UseCaseRuntime(CLEANING, {name: shelf(name) for name in catalogues})])


def test_a_surface_is_found_with_the_catalogue_that_its_contexts_are_of() -> None:
    site, plan = runtime("cleaners", "jobs").find("cleaning", "cleaners-for-job")
    assert plan.surface.catalogue == "cleaners"
    assert site.context_catalogue(plan) is JOBS
    site, plan = runtime("cleaners", "jobs").find("cleaning", "jobs-for-cleaner")
    assert site.context_catalogue(plan) is CLEANERS


def test_a_catalogue_without_an_export_takes_only_its_own_surfaces_away() -> None:
    one = runtime("cleaners")
    site, plan = one.find("cleaning", "cleaners-for-job")
    assert site.context_catalogue(plan) is None
    with pytest.raises(Unavailable, match="no export of jobs yet; run: "):
        one.find("cleaning", "jobs-for-cleaner")


def test_what_does_not_exist_is_not_found_and_what_does_is_listed() -> None:
    with pytest.raises(NotFound, match="cleaning has no surface 'home'; there are cleaners-for-job, jobs-for-cleaner"):
        runtime("cleaners", "jobs").find("cleaning", "home")
    with pytest.raises(NotFound, match="no use case 'shop'; there are cleaning"):
        runtime("cleaners").find("shop", "home")


def test_a_site_without_any_shelf_is_no_site() -> None:
    with pytest.raises(ConfigurationError, match="cleaning: catalogue 'cleaners' was not loaded"):
        UseCaseRuntime(CLEANING, {})
