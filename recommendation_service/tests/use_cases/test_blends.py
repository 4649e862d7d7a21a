"""Which ensembles can be built, and in which order."""

from typing import Any

import pytest

from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.blends import in_order, members_of
from recommendation_service.use_cases.schema import Part, Surface, UseCase


def case(**blends: dict[str, Any]) -> UseCase:
    """A use case with these ensembles beside two plain engines."""
    engines = {name: Part(kind="ensemble", options=options) for name, options in blends.items()}
    engines |= {"als": Part(kind="als"), "popular": Part(kind="popularity")}
    home = Surface(catalogue="things", router=Part(kind="fixed", options={"engine": "als"}), fallback=("als",))
    return UseCase(name="case", catalogues=("things",), events={"like": 1.0}, engines=engines, surfaces={"home": home})  # type: ignore[arg-type]  # a number becomes an EventWeight


def of(*members: str, **more: Any) -> dict[str, Any]:
    return {"members": dict.fromkeys(members, 1.0), **more}


def test_members_include_those_that_may_be_learned() -> None:
    assert members_of(case(mix=of("als", learnable_members=["popular", "als"]))) == {"mix": ("als", "popular")}


def test_members_come_first_and_the_order_of_the_file_decides_the_rest() -> None:
    assert in_order(case(outer=of("inner", "als"), other=of("als", "popular"), inner=of("als", "popular"))) == [
        "other",
        "inner",
        "outer",
    ]
    assert in_order(case()) == []


@pytest.mark.parametrize("ring", [{"a": of("a")}, {"a": of("b"), "b": of("a")}, {"a": of("b"), "b": of("c"), "c": of("a")}])
def test_a_ring_is_refused(ring: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(ConfigurationError, match=f"{', '.join(ring)} are members of each other"):
        in_order(case(**ring))


def test_a_stranger_is_named_beside_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="has member 'svd'; engines are als, mix, popular"):
        in_order(case(mix=of("als", learnable_members=["svd"])))


def test_only_the_main_ensemble_may_ask_for_learned_weights() -> None:
    assert in_order(case(main=of("als", "popular", weights="learned"), side=of("als", "popular"))) == ["main", "side"]
    with pytest.raises(ConfigurationError, match="'side', ensemble: weights are learned for one ensemble only"):
        in_order(case(main=of("als", "popular"), side=of("als", "popular", weights="learned")))
