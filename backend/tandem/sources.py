"""What a site declares beside its own models, so that Tandem can read its items and people.

    class Startups(ItemSource):
        catalogue = "startups"
        queryset = Startup.objects.filter(is_public=True)
        text = ("name", "pitch"); category = "sector"; tags = "skills"; created = "founded_at"
        filters = ("sector", "stage", "skills")
        events = {"like": Like, "apply": Application}
        profiles = (Developer.objects.all(), Investor.objects.all()); profile_fields = ("skills", "sectors", "stage")
        surfaces = {"startups.Developer": "for-developer", "startups.Investor": "for-investor"}

The declaration lives in the site app's `recommendation_sources.py`; `autodiscover` finds it.

A catalogue whose items come from several models has `models` in place of `queryset`; tandem/item_models.py describes them.

`events` names the site's own tables of what people did, as models or as `Event(...)`; tandem/events.py describes them. A row
is mirrored as an interaction after each commit that saves or deletes it; rows written past Django's signals (bulk_create,
update, SQL) are mirrored by `manage.py sync_interactions`.

If the use case pairs two catalogues, such as jobs and cleaners, each source declares the columns that pairs are scored by:
`numbers` and `text_columns`, or `side` for columns that are not fields. The catalogue that `[pairs]` calls `right` also
declares `matches`, the pairs that models learn from.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Any, ClassVar
from uuid import UUID

import numpy as np
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, Q, QuerySet
from django.utils.module_loading import autodiscover_modules

from recommendation_service.core.numeric import Bools
from recommendation_service.datasets.pair_features import PairTable
from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.ids import public_id, spelled_id
from recommendation_service.domain.query import Profile
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import InvalidInput
from tandem.events import Event, Table
from tandem.item_ids import column_of, column_values, site_ids, typed_text
from tandem.item_models import Items
from tandem.selectors.pair_features import plain_side, with_side
from tandem.use_cases import load

CHUNK = 2000

_registry: dict[str, "type[ItemSource]"] = {}


def _all_fit(pairs: PairTable) -> Bools:
    return np.ones(pairs.n, dtype=np.bool_)


def _rule_reasons(reasons: Sequence[str], pairs: PairTable, row: int, parts: Mapping[str, float]) -> Sequence[str]:
    return reasons


@dataclass(frozen=True, slots=True, eq=False)
class CandidateSet:
    """What a site offers for one context now: see `ItemSource.candidates`."""

    subject: PairSide  # the context's columns, of length 1
    rows: QuerySet[Any]  # the items that may be shown; read only if a list has to be computed
    version: str  # changes with every column of every row
    side_key: str = ""  # if set, this process remembers the rows' columns under it; for rows that many contexts share
    fits: Callable[[PairTable], Bools] = _all_fit  # (n,) False for pairs that must not be shown
    unavailable: str = ""  # why there are no rows for this context, for the answer
    weights: Callable[[], Mapping[str, float]] | None = None  # of the ensemble's members; None: those of the use-case file
    cache_seconds: int | None = None  # None: as the surface says
    # The reasons of one pair, given those of the rules, all pairs, the pair's row and the known parts of its score.
    reasons: Callable[[Sequence[str], PairTable, int, Mapping[str, float]], Sequence[str]] = _rule_reasons


class ItemSource:
    """One catalogue's items, people and events, as a site declares them. Fields are named, never called with values.

    A field name may cross relations with `__`. A field whose value is a list, or a related manager, gives many values.
    """

    catalogue: ClassVar[str] = ""
    use_case: ClassVar[str] = ""  # default: the catalogue's name
    queryset: ClassVar[QuerySet[Any] | Callable[[], QuerySet[Any]] | None] = None
    model: ClassVar[type[Model] | None] = None  # default: of `queryset`, which is then called when Django starts
    models: ClassVar[Sequence[Items]] = ()  # instead of `queryset`: items of several models in one list
    item_prefix: ClassVar[str] = ""  # of the item ids; set by `models`
    item_id: ClassVar[str] = "pk"
    title: ClassVar[str] = ""  # default: the first of `text`
    text: ClassVar[Sequence[str]] = ()
    category: ClassVar[str] = ""
    tags: ClassVar[str] = ""
    created: ClassVar[str] = ""
    filters: ClassVar[Sequence[str]] = ()
    available: ClassVar[Mapping[str, Any]] = {}  # {"stock__gt": 0}: what exists is recommended only while this holds
    events: ClassVar[Mapping[str, Table | Event] | Sequence[Event]] = {}  # the site's own event tables, by event
    event_fields: ClassVar[Mapping[str, Mapping[str, str]]] = {}  # as releases before 0.3 declared columns of an Event
    numbers: ClassVar[Mapping[str, str]] = {}  # column -> field: what pairs with an item are scored by
    text_columns: ClassVar[Mapping[str, str]] = {}
    profiles: ClassVar[Sequence[QuerySet[Any]]] = ()  # people: their pk is the user id
    id_prefixes: ClassVar[Mapping[str, str]] = {}  # "app.Model" of a person -> what goes before their pk in the user id
    profile_fields: ClassVar[Sequence[str]] = ()  # what is known of them; a field counts for those people who have it
    surfaces: ClassVar[Mapping[str, str]] = {}  # "app.Model" of a person -> surface; others: the catalogue's first
    page_events: ClassVar[Sequence[str]] = ()  # the buttons of the site's page; default: every event that says yes
    page_search: ClassVar[Sequence[str]] = ("name",)  # fields of a person that the page's search looks into
    page_first: ClassVar[str] = ""  # true-or-false field of the people whom the page lists first
    own_page: ClassVar[str] = ""  # name of the URL of the site's own page, which then stands in for the shared one

    def __init_subclass__(cls, *, register: bool = True) -> None:
        """Register the declaration; the checks speak about what is wrong with it."""
        if cls.catalogue and register:
            _registry[cls.catalogue] = cls

    @classmethod
    def parts(cls) -> "Sequence[type[ItemSource]]":
        """Return one declaration per model of the items: this one, or those that `models` makes of it."""
        if not cls.models:
            return (cls,)
        known: Sequence[type[ItemSource]] | None = cls.__dict__.get("_parts")
        if known is None:
            known = tuple(
                type(f"{cls.__name__}_{index}", (cls,), items.attributes(), register=False)
                for index, items in enumerate(cls.models)
            )
            cls._parts = known
        return known

    _parts: "ClassVar[Sequence[type[ItemSource]]]"

    @classmethod
    def part_of(cls, item: Any) -> "type[ItemSource]":
        """Return the declaration of the item's model. Raises InvalidInput for an object of another model."""
        if not cls.models:
            return cls
        kind = item._meta.concrete_model
        for part in cls.parts():
            if issubclass(kind, part.item_model()._meta.concrete_model or object):
                return part
        raise InvalidInput(f"{kind.__name__} is no model of the catalogue '{cls.catalogue}'")

    @classmethod
    def part_of_id(cls, item_id: str) -> "type[ItemSource] | None":
        """Return the declaration that has ids like this, by their prefix; None: no item can have it."""
        fitting = (part for part in cls.parts() if item_id.startswith(part.item_prefix))
        return max(fitting, key=lambda part: len(part.item_prefix), default=None)

    @classmethod
    def items(cls) -> QuerySet[Any]:
        """The items that may be shown now; of a catalogue with several models, ask each of `parts()`."""
        source = cls.__dict__.get("queryset")
        rows: QuerySet[Any] | None = source() if callable(source) else source
        if rows is None:
            reason = "has several models; ask each of its parts()" if cls.models else "is not set"
            raise NotImplementedError(f"{cls.__name__}.queryset {reason}")
        return rows.all()

    @classmethod
    def item_model(cls) -> type[Model]:
        """Return the model of the items; declare `model` where `queryset` is a function that reads the database."""
        return cls.model or cls.items().model

    @classmethod
    def offered(cls) -> QuerySet[Any]:
        """The items that may be recommended now: those that exist and can be had."""
        return cls.items().filter(**cls.available)

    @classmethod
    def visible_to(cls, user: str | None) -> Q | None:
        """Return the condition for items that this user, by id, may see; None: all. `user` is None for a list without a user.

        For blocks, tenants and groups. Other items are never shown to the user, also while the service does not answer; a
        change takes effect within seconds.
        """
        return None

    @classmethod
    def offered_to(cls, user: str | None) -> QuerySet[Any]:
        """Return the items that may be recommended to this user now."""
        visible = cls.visible_to(user)
        return cls.offered() if visible is None else cls.offered().filter(visible)

    @classmethod
    def limits_visibility(cls) -> bool:
        """True if the source declares `visible_to`: without the database, no item may then be shown."""
        usual = ItemSource.visible_to.__func__  # type: ignore[attr-defined]  # bound methods have it
        return any(part.visible_to.__func__ is not usual for part in cls.parts())  # type: ignore[attr-defined]  # as above

    @classmethod
    def limits_offers(cls) -> bool:
        """True if items exist that may not be recommended, at least to some users."""
        return cls.limits_visibility() or any(part.available for part in cls.parts())

    @classmethod
    def facet_names(cls) -> frozenset[str]:
        """Return the names by which lists can be filtered."""
        own = [("category", part.category) for part in cls.parts()] + [("tags", part.tags) for part in cls.parts()]
        return frozenset(name for name, field in own if field) | {name for part in cls.parts() for name in part.filters}

    @classmethod
    def records(cls) -> Iterator[ItemRecord]:
        """Every item as the export writes it, streamed."""
        if cls.models:
            for part in cls.parts():
                yield from part.records()
            return
        offered = set(cls.offered().values_list("pk", flat=True)) if cls.available else None
        every = cls.items().iterator(chunk_size=CHUNK)
        while chunk := list(islice(every, CHUNK)):
            records = with_side([cls.record(item) for item in chunk], cls.side(chunk), place=cls.catalogue)
            for item, record in zip(chunk, records, strict=True):
                yield record if offered is None or item.pk in offered else replace(record, available=False)

    @classmethod
    def side(cls, items: Sequence[Any]) -> PairSide | None:
        """What pairs with these items are scored by, in their order; None: nothing pairs with them.

        Asked for some thousand items at once, so that what comes from other tables costs a query a chunk, not an item.
        """
        if not cls.numbers and not cls.text_columns:
            return None
        fields = {**cls.numbers, **cls.text_columns}
        columns = [{name: next(iter(values_of(item, field)), None) for name, field in fields.items()} for item in items]
        ids = [cls.id_of(item) for item in items]
        return plain_side(columns, ids, numbers=tuple(cls.numbers), text_columns=tuple(cls.text_columns), place=cls.catalogue)

    @classmethod
    def candidates(cls, subject_ids: Sequence[str], filters: Profile) -> Mapping[str, CandidateSet]:
        """Return the items of today by the id of their context, such as the cleaners for each job; {}: the export decides.

        With candidates, a list is scored from the rows of this moment and recorded each time it is shown. The site reads
        `filters` itself. Raises NotFound for an unknown subject, InvalidInput for a filter that it does not know.
        """
        return {}

    @classmethod
    def matches(cls) -> Matches | None:
        """What pairs are learned from, whole; None: nothing is. Asked of the catalogue that [pairs] calls right."""
        return None

    @classmethod
    def nearest(cls, *, user_id: str | None, item_ids: Sequence[str], limit: int) -> Sequence[tuple[str, float]]:
        """Item ids with scores, best first: near to these items, or else to this person's taste; () when unknown.

        Asked when the service cannot answer, before popular items are taken. A site with vectors of its own says more.
        """
        return ()

    @classmethod
    def id_of(cls, item: Any) -> str:
        """Return the id of an item; a text that is no valid id is hashed."""
        return public_id(cls.key_of(item))

    @classmethod
    def key_of(cls, item: Any) -> str:
        """Return what the id of an item is made of: its key after the prefix of its model."""
        part = cls.part_of(item)
        return f"{part.item_prefix}{_resolve(item, part.item_id)}"

    @classmethod
    def spelled_item_id(cls, raw: Any, *, field: str = "item_id") -> str:
        """Return the id of the item that a caller names by its key or its id, however it is spelled.

        A UUID may be in capitals, a number may have zeros before it. Raises InvalidInput, which names `field`, for blank
        text and words for no value.
        """
        text = str(raw).strip()
        part = cls.part_of_id(text)
        if part is not None:
            key = text.removeprefix(part.item_prefix)
            text = part.item_prefix + typed_text(column_of(part.item_model(), part.item_id), key)
        return spelled_id(text, field=field)

    @classmethod
    def record(cls, item: Any) -> ItemRecord:
        """One item in the export's words."""
        if cls.models:
            return cls.part_of(item).record(item)
        texts = [str(value) for name in cls.text for value in values_of(item, name)]
        created = next(iter(values_of(item, cls.created)), None) if cls.created else None
        category = next(iter(values_of(item, cls.category)), None) if cls.category else None
        return ItemRecord(
            item_id=cls.id_of(item),
            title=str(_resolve(item, cls.title or cls.text[0])),
            text=" . ".join(texts),
            category=None if category is None else str(category),
            tags=tuple(str(value) for value in values_of(item, cls.tags)) if cls.tags else (),
            created_at=seconds_of(created),
            attributes={name: tuple(str(value) for value in values_of(item, name)) for name in cls.filters},
        )

    @classmethod
    def profile(cls, person: Any) -> dict[str, tuple[str, ...]]:
        """What the site knows of one person, empty values left out."""
        has = [name for name in cls.profile_fields if hasattr(person, name.split("__")[0])]  # one kind of person may lack it
        known = {name: tuple(str(value) for value in values_of(person, name)) for name in has}
        return {name: values for name, values in known.items() if values}

    @classmethod
    def people(cls) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
        """Every person with a profile, streamed: user id and profile."""
        for people in cls.profiles:
            for person in people.all().iterator(chunk_size=2000):
                yield cls.user_id(person), cls.profile(person)

    @classmethod
    def user_id(cls, person: Any) -> str:
        """The user id of one person: their pk, after the prefix of their kind where kinds of people share numbers."""
        return public_id(f"{cls.id_prefixes.get(person._meta.label, '')}{person.pk}")

    @classmethod
    def person(cls, user_id: str) -> Any | None:
        """The site's own record of one person, or None."""
        for people in cls.profiles:
            meta = people.model._meta
            prefix = cls.id_prefixes.get(meta.label, "")
            keys = column_values(meta.pk, site_ids(people.all(), "pk", [user_id], prefix=prefix)).values()
            person = people.all().filter(pk__in=list(keys)).first() if keys else None
            if person is not None and (not prefix or cls.user_id(person) == user_id):  # "client-05" is nobody's id
                return person
        return None

    @classmethod
    def surface_for(cls, person: Any) -> str:
        """The surface that answers for this kind of person; "" where no list of this catalogue is about a person.

        Raises ConfigurationError when the use case is unknown.
        """
        label = person._meta.label
        if label in cls.surfaces:
            return cls.surfaces[label]
        shown = load(use_case_of(cls)).surfaces.items()
        fitting = (name for name, surface in shown if surface.catalogue == cls.catalogue and surface.about == "user")
        return next(fitting, "")

    @classmethod
    def events_for(cls, person: Any) -> Sequence[str]:
        """The page's buttons for this person; a site may offer some only to some kinds of people."""
        rules = load(use_case_of(cls)).events
        return cls.page_events or tuple(name for name, rule in rules.items() if rule.weight > 0 and rule.neutral is None)

    @classmethod
    def act(cls, *, person: Any, event: str, item: Any, request_id: UUID | None) -> bool:
        """Do in the site's own tables what a button of the page says, so that it is mirrored; False: not done here.

        The page then writes a row of the event's own table where person and item are all it needs, else the bare
        event. `request_id` is of the list in which the item was shown. Raises InvalidInput or NotFound, in words for
        the visitor.
        """
        return False

    @classmethod
    def describe(cls, person: Any) -> str:
        """One line about a person for the page; a site may put it better."""
        known = (f"{name.replace('_', ' ')}: {', '.join(values)}" for name, values in cls.profile(person).items())
        return " · ".join(known)

    @classmethod
    def links(cls, person: Any) -> Sequence[tuple[str, str]]:
        """Word and address of the site's own pages about this person, for the page to name."""
        return ()

    @classmethod
    def card(cls, item: Any) -> Mapping[str, Any]:
        """What the page shows of one item; a site may say more, and with `url` where the item has a page of its own."""
        record = cls.record(item)
        return {"item_id": record.item_id, "title": record.title, "category": record.category or "", "tags": record.tags}


def values_of(instance: Any, name: str) -> tuple[Any, ...]:
    """The values behind a field name: many for a list or a relation, one for a plain field, none for empty."""
    value = _resolve(instance, name)
    if value is None or value == "":
        return ()
    if hasattr(value, "all"):
        return tuple(value.all())
    if isinstance(value, list | tuple | set):
        return tuple(value)
    return (value,)


def _resolve(instance: Any, name: str) -> Any:
    try:
        for step in name.split("__"):
            instance = None if instance is None else getattr(instance, step)
    except ObjectDoesNotExist:  # a one-to-one relation that nobody made yet
        return None
    return instance


def seconds_of(value: Any) -> float | None:
    """Return a date or time as seconds since 1970; None for anything else."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days * 86_400.0
    return None


def autodiscover() -> None:
    """Import every installed app's `recommendation_sources.py`."""
    autodiscover_modules("recommendation_sources")


def source_of(catalogue: str) -> "type[ItemSource] | None":
    """The declaration for a catalogue, or None."""
    return _registry.get(catalogue)


def use_case_of(source: "type[ItemSource]") -> str:
    """The name of the use case that a source belongs to."""
    return source.use_case or source.catalogue


def all_sources() -> "list[type[ItemSource]]":
    """Every declared source, by catalogue name."""
    return [_registry[name] for name in sorted(_registry)]


def catalogues_of(names: Collection[str]) -> list[str]:
    """Return the names, where the name of a use case that is not itself a catalogue becomes its catalogues."""
    catalogues: list[str] = []
    for name in names:
        owned = [source.catalogue for source in all_sources() if use_case_of(source) == name]
        catalogues += [name] if source_of(name) is not None or not owned else owned
    return list(dict.fromkeys(catalogues))


def chosen_sources(catalogues: Collection[str]) -> list[type[ItemSource]]:
    """Return the sources of these catalogues, or all of them if none is named. Raises InvalidInput with the known names."""
    known = [source.catalogue for source in all_sources()]
    if not known:
        raise InvalidInput("no catalogue is declared; write an ItemSource in a site's recommendation_sources.py")
    unknown = sorted(set(catalogues) - set(known))
    if unknown:
        raise InvalidInput(f"catalogue '{unknown[0]}' is not declared; there are {', '.join(known)}")
    return [source for name in (catalogues or known) if (source := source_of(name)) is not None]
