"""The surfaces of a use case for `tandem doctor`: the engines that they use, and what their routers would show."""

from collections.abc import Iterable, Iterator

from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.training.comparison.cost_benefit import EngineAnswers
from recommendation_service.training.comparison.methods import MethodComparison, Uses
from recommendation_service.training.comparison.routing_thresholds import Preference, Routes, Thresholds, prefer
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers, in_chains
from recommendation_service.use_cases.blends import members_of
from recommendation_service.use_cases.schema import Part, Surface, UseCase

PERSON, BY_COUNT = "user", "by_count"
COLD_BELOW, WARM_BELOW = 5, 20  # what the router takes where the file says nothing


def preference(use_case: UseCase, name: str, seen: MethodComparison) -> Preference:
    """Return the best thresholds on validation for a surface that routes by count, with their result on the test part."""
    options = use_case.surfaces[name].router.options
    stated = Thresholds(options.get("cold_below", COLD_BELOW), options.get("warm_below", WARM_BELOW))
    return prefer(_routes(use_case, name, seen.valid), _routes(use_case, name, seen.test), stated)


def _routes(use_case: UseCase, name: str, answers: EngineAnswers) -> Routes:
    """Return the NDCG of each user under each of the three routes, with the other engines of the chain as fallbacks."""
    options = use_case.surfaces[name].router.options
    lists = {engine: entry.lists for engine, entry in answers.answers.items()}
    per_segment = [
        metrics.measure(in_chains(lists, _chains(use_case, name, options[segment], answers.panel)), answers.panel.relevant).ndcg
        for segment in ("cold", "warm", "hot")
    ]
    return Routes(answers.counts, *per_segment)


def _chains(use_case: UseCase, name: str, engine: str, panel: EvaluationUsers) -> list[tuple[str, ...]]:
    """Return, for each user, the engines in the order in which they would be called if `engine` went first."""
    fixed = use_case.surfaces[name].model_copy(update={"router": Part(kind="fixed", options={"engine": engine})})
    plan = Plan.build(use_case.model_copy(update={"surfaces": {**use_case.surfaces, name: fixed}}), name)
    chains = (plan.route(panel.query(index)).chain for index in range(len(panel)))
    return [tuple(entry for entry in chain if entry not in plan.switched_off) for chain in chains]


def routed(use_case: UseCase, catalogue: str) -> list[tuple[list[str], Surface]]:
    """Return the surfaces for users that route by count. Surfaces with the same routing are in one group."""
    groups: list[tuple[list[str], Surface]] = []
    for name, surface in of_persons(use_case, catalogue):
        if surface.router.kind != BY_COUNT:
            continue
        alike = [names for names, entry in groups if _routing(entry) == _routing(surface)]
        if alike:
            alike[0].append(name)
        else:
            groups.append(([name], surface))
    return groups


def _routing(surface: Surface) -> tuple[object, ...]:
    return surface.router, surface.fallback, surface.cold_start_engine


def of_persons(use_case: UseCase, catalogue: str) -> Iterator[tuple[str, Surface]]:
    """Yield name and surface of the surfaces of a catalogue that show a list to a user."""
    for name, surface in use_case.surfaces.items():
        if surface.catalogue == catalogue and surface.about == PERSON:
            yield name, surface


def measured(use_case: UseCase, catalogue: str) -> list[str]:
    """Return the engines to measure on users: all but those that are used only in lists about something else."""
    persons, others = set[str](), set[str]()
    for name, surface in use_case.surfaces.items():
        named = {*_first(use_case, name), *surface.fallback, *surface.strategies, *filter(None, [surface.cold_start_engine])}
        is_about_users = surface.about == PERSON and surface.catalogue == catalogue
        (persons if is_about_users else others).update(_inside(use_case, named))
    return [name for name in use_case.engines if name in persons or name not in others]


def uses_of(use_case: UseCase, catalogue: str) -> dict[str, Uses]:
    """Return the surfaces of a catalogue on which each engine may go first.

    On surfaces about an item, an engine also counts if it is a member of an ensemble that may go first.
    """
    shown = {name: surface for name, surface in use_case.surfaces.items() if surface.catalogue == catalogue}
    persons = {name: set(_first(use_case, name)) for name, surface in shown.items() if surface.about == PERSON}
    other = {name: _inside(use_case, _first(use_case, name)) for name in shown if name not in persons}
    return {
        engine: Uses(
            tuple(name for name, first in persons.items() if engine in first),
            tuple(name for name, first in other.items() if engine in first),
        )
        for engine in use_case.engines
    }


def _first(use_case: UseCase, name: str) -> tuple[str, ...]:
    return Plan.build(use_case, name).router.engines()


def _inside(use_case: UseCase, names: Iterable[str]) -> set[str]:
    """Return these engines and, if they are ensembles, all of their members."""
    members, groups = members_of(use_case), set(names)
    while more := {entry for name in groups for entry in members.get(name, ())} - groups:
        groups |= more
    return groups
