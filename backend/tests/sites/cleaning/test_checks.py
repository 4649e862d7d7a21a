from typing import Any

import pytest
from django.test import override_settings

from sites.cleaning.checks import check_fee


@pytest.mark.parametrize("fee", [0, 0.15, 0.999])
def test_a_share_of_a_payment_is_a_fee(fee: float) -> None:
    with override_settings(CLEANING_PLATFORM_FEE=fee):
        assert check_fee() == []


@pytest.mark.parametrize("fee", [-0.1, 1, 15, float("nan"), "15%", None, True])
def test_anything_else_is_told_with_the_fix(fee: Any) -> None:
    with override_settings(CLEANING_PLATFORM_FEE=fee):
        (problem,) = check_fee()
    assert problem.id == "cleaning.E001"
    assert problem.hint is not None
    assert "0.15" in problem.hint


def test_django_asks(settings: Any) -> None:
    from django.core.checks import run_checks

    settings.CLEANING_PLATFORM_FEE = 15
    assert "cleaning.E001" in {problem.id for problem in run_checks()}
