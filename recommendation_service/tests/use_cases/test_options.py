from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.options import checked, find_kind


def stage(query: object, *, days: float = 30.0, facet: str = "tags", mode: Literal["a", "b"] = "a") -> None:
    """A function whose first parameter is the caller's."""


class Built:
    def __init__(self, name: str, *, members: Mapping[str, float], also: Sequence[str] = ()) -> None:
        self.members = members

    @classmethod
    def of(cls, name: str, *, weight: int) -> "Built":
        return cls(name, members={name: weight})


def test_options_come_back_typed_and_only_those_given() -> None:
    assert checked(stage, {"days": 7}, where="here") == {"days": 7.0}
    assert checked(stage, {}, where="here") == {}
    assert checked(Built, {"members": {"als": 1}}, where="here") == {"members": {"als": 1.0}}
    assert checked(Built.of, {"weight": 2}, where="here") == {"weight": 2}


@pytest.mark.parametrize(
    ("build", "options", "told"),
    [
        (stage, {"day": 7}, "here does not know 'day'; its options are days, facet, mode"),
        (stage, {"query": 7}, "does not know 'query'"),
        (stage, {"days": "soon"}, "here: days: Input should be a valid number"),
        (stage, {"mode": "c"}, "here: mode: Input should be 'a' or 'b'"),
        (Built, {}, "here: members: Field required; its options are also, members"),
        (Built, {"members": {"als": "much"}}, "here: members.als: Input should be a valid number"),
        (lambda query: None, {"days": 1}, "its options are none"),
    ],
)
def test_a_wrong_option_names_the_place_and_the_known_words(build: Any, options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        checked(build, options, where="here")


def test_an_unknown_kind_lists_those_there_are() -> None:
    assert find_kind({"a": 1, "b": 2}, "a", where="here") == 1
    with pytest.raises(ConfigurationError, match="here is of kind 'c'; there are a, b"):
        find_kind({"a": 1, "b": 2}, "c", where="here")


def paired(name: str, *, pair_config: object, days: float = 1.0) -> None:
    """A builder that gets one keyword-only argument from its caller."""


def test_what_the_caller_gives_is_no_option_of_the_file() -> None:
    assert checked(paired, {"days": 2}, where="here", given=("pair_config",)) == {"days": 2.0}
    with pytest.raises(ConfigurationError, match="here does not know 'pair_config'; its options are days"):
        checked(paired, {"pair_config": 1}, where="here", given=("pair_config",))
    with pytest.raises(ConfigurationError, match="here: pair_config: Field required"):
        checked(paired, {"days": 2}, where="here")


def test_an_old_option_is_refused_with_its_new_name() -> None:
    def ensemble(*, min_members: int = 2) -> None:
        """An engine with an option that had another name."""

    with pytest.raises(ConfigurationError, match="does not know 'at_least'; use 'min_members'; its options are min_members"):
        checked(ensemble, {"at_least": 1}, where="here")
    with pytest.raises(ConfigurationError, match="stage does not know 'at_least'; its options are days"):
        checked(stage, {"at_least": 1}, where="stage")
