"""Where a question is asked: a surface of a use case, with the site's own declaration of its catalogue."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from recommendation_service.errors import NotFound
from recommendation_service.use_cases.schema import Surface, UseCase
from tandem.conf import tandem_settings
from tandem.sources import ItemSource, source_of
from tandem.use_cases import load, names


@dataclass(frozen=True, slots=True)
class BoundSurface:
    """One surface that this site can answer for."""

    use_case: UseCase
    name: str
    surface: Surface
    source: type[ItemSource]

    @property
    def catalogue(self) -> str:
        """Name of the catalogue that the surface shows."""
        return self.surface.catalogue

    @property
    def facets(self) -> frozenset[str]:
        """What answers can be filtered by: the declared filters, and category and tags where there are any."""
        return self.source.facet_names()

    @property
    def leaves_out_seen(self) -> bool:
        """True unless the surface's rules show again what a user has already seen."""
        return any(rule.kind == "exclude_seen" for rule in self.surface.rules)

    @property
    def about(self) -> str:
        """What its lists are about: "user", "item", "basket" or "context"."""
        return self.surface.about

    @property
    def subject_source(self) -> type[ItemSource]:
        """The declaration of the things its lists are about: of another catalogue where that is a context."""
        other = None if self.surface.context is None else source_of(self.surface.context)
        return self.source if other is None else other

    @property
    def keeps_parts(self) -> bool:
        """True where a ranker orders the list, and so learns from what was shown."""
        return any(stage.kind == "rescore" for stage in self.surface.rerank)


def bound_surface(use_case: str, surface: str) -> BoundSurface:
    """The place of that name. Raises NotFound when there is none here."""
    if use_case not in _names():
        raise NotFound(f"there is no use case '{use_case}'")
    known = load(use_case)
    found = known.surfaces.get(surface)
    source = None if found is None else source_of(found.catalogue)
    if found is None or source is None:
        raise NotFound(f"use case '{use_case}' shows no list on '{surface}' here")
    return BoundSurface(known, surface, found, source)


def surface_named(name: str) -> BoundSurface:
    """Return the surface of that name: "use_case/surface", or "surface" where one use case has it.

    Raises NotFound if no use case of this project has it, or if several have.
    """
    use_case, _, surface = name.rpartition("/")
    if use_case:
        return bound_surface(use_case, surface)
    owners = [owner for owner in sorted(_names()) if name in load(owner).surfaces]
    if len(owners) == 1:
        return bound_surface(owners[0], name)
    if not owners:
        known = sorted({surface for owner in _names() for surface in load(owner).surfaces})
        raise NotFound(f"no use case has a surface '{name}'; the surfaces are {', '.join(known)}")
    raise NotFound(f"'{name}' is a surface of {' and '.join(owners)}; write '{owners[0]}/{name}'")


def _names() -> frozenset[str]:
    return _names_in(tandem_settings().use_cases_dir)


@cache
def _names_in(folder: Path) -> frozenset[str]:
    """Return the use cases of a folder, read once per process: requests name them."""
    return frozenset(names())
