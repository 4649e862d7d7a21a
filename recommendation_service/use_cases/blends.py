"""Which engines are ensembles of which: checked when they are built, and put in an order that can be built."""

from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.schema import UseCase


def members_of(use_case: UseCase) -> dict[str, tuple[str, ...]]:
    """Every ensemble's members, those it may learn to weigh included."""
    blends = {name: part.options for name, part in use_case.engines.items() if part.kind == "ensemble"}
    return {
        name: tuple(dict.fromkeys([*own.get("members", ()), *own.get("learnable_members", ())])) for name, own in blends.items()
    }


def in_order(use_case: UseCase) -> list[str]:
    """Names of the ensembles, members before those they are members of, else as in the file.

    Raises ConfigurationError for members the file does not define, for rings, and for weights that nobody learns.
    """
    members = members_of(use_case)
    for name, own in members.items():
        _check(use_case, name, own)
    ordered: list[str] = []
    while len(ordered) < len(members):
        waiting = [name for name in members if name not in ordered]
        ready = [name for name in waiting if not set(members[name]) & set(waiting)]
        if not ready:
            raise ConfigurationError(f"{use_case.name}: the ensembles {', '.join(waiting)} are members of each other")
        ordered += ready
    return ordered


def _check(use_case: UseCase, name: str, members: tuple[str, ...]) -> None:
    place = f"{use_case.name}: engine '{name}', ensemble"
    stranger = next((one for one in members if one not in use_case.engines), None)
    if stranger is not None:
        raise ConfigurationError(f"{place} has member '{stranger}'; engines are {', '.join(sorted(use_case.engines))}")
    main = use_case.main_ensemble()
    if use_case.engines[name].options.get("weights") == "learned" and main is not None and main[0] != name:
        raise ConfigurationError(f"{place}: weights are learned for one ensemble only ({main[0]}); use 'configured' here")
