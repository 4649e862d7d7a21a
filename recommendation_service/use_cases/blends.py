"""The members of ensembles: checked, and in an order in which they can be built."""

from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.schema import UseCase


def members_of(use_case: UseCase) -> dict[str, tuple[str, ...]]:
    """Return the members of every ensemble, learnable ones included."""
    options = {name: part.options for name, part in use_case.engines.items() if part.kind == "ensemble"}
    return {
        name: tuple(dict.fromkeys([*values.get("members", ()), *values.get("learnable_members", ())]))
        for name, values in options.items()
    }


def in_order(use_case: UseCase) -> list[str]:
    """Return the names of the ensembles, members first, else in the order of the file.

    Raises ConfigurationError for an unknown member, for a cycle, and for learned weights of a second ensemble.
    """
    members = members_of(use_case)
    for name, names in members.items():
        _check(use_case, name, names)
    ordered: list[str] = []
    while len(ordered) < len(members):
        waiting = [name for name in members if name not in ordered]
        ready = [name for name in waiting if not set(members[name]) & set(waiting)]
        if not ready:
            raise ConfigurationError(f"{use_case.name}: the ensembles {', '.join(waiting)} are members of each other")
        ordered += ready
    return ordered


def _check(use_case: UseCase, name: str, members: tuple[str, ...]) -> None:
    where = f"{use_case.name}: engine '{name}', ensemble"
    unknown = next((member for member in members if member not in use_case.engines), None)
    if unknown is not None:
        raise ConfigurationError(f"{where} has member '{unknown}'; engines are {', '.join(sorted(use_case.engines))}")
    main = use_case.main_ensemble()
    if use_case.engines[name].options.get("weights") == "learned" and main is not None and main[0] != name:
        raise ConfigurationError(f"{where}: weights are learned for one ensemble only ({main[0]}); use 'configured' here")
