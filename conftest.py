"""What every test of both halves shares: in CI nothing that needs a browser or a service may be skipped in silence."""

import os
from collections.abc import Generator

import pytest

NEVER_SKIPPED_IN_CI = ("browser", "services")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=1, a skipped browser or services test is a failed one."""
    report = yield
    if report.skipped and os.environ.get("CI") and any(item.get_closest_marker(name) for name in NEVER_SKIPPED_IN_CI):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and with CI=1 it must run: {call.excinfo}"
    return report
