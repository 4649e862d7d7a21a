"""Descriptions and limits of training parameters: for the command line, and for the checks of use-case files."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import Any, get_type_hints


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter with an option on the command line: `epochs: Annotated[int, Setting("passes over the data", least=1)] = 5`.

    `least` and `most` are allowed values, unless `above` says that a value must be larger than `least`.
    """

    meaning: str
    least: float = 0
    most: float = inf
    above: bool = False
    choices: tuple[str, ...] = ()
    option: str = ""  # the name on the command line, if it is not that of the parameter

    def problem(self, value: Any, value_type: type[Any]) -> str:
        """Return why a value cannot be used, such as "must be above 0"; empty if it can."""
        if value_type is str:
            return f"must be one of {', '.join(self.choices)}" if self.choices and value not in self.choices else ""
        numbers: tuple[type[Any], ...] = (int,) if value_type is int else (int, float)
        if isinstance(value, numbers) and self.least <= value <= self.most and not (self.above and value == self.least):
            return ""
        limit = f"above {self.least:g}" if self.above else f"{self.least:g} or more"
        most = f" and {self.most:g} or less" if self.most < inf else ""
        return f"must be {'a whole number, ' * (value_type is int)}{limit}{most}"


def settings_of(parameters: type[Any]) -> Mapping[str, tuple[type[Any], Setting]]:
    """Return name -> (type, setting) for the fields of a dataclass that have a setting."""
    hints = get_type_hints(parameters, include_extras=True)
    annotated = {field.name: hints[field.name] for field in fields(parameters)}
    return {
        name: (hint.__origin__, hint.__metadata__[0])
        for name, hint in annotated.items()
        if isinstance(getattr(hint, "__metadata__", (None,))[0], Setting)
    }
