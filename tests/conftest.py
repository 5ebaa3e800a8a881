"""What holds for every test: a clean environment, and no silent skips where CI asks for none."""

import os

import pytest

MUST_NOT_SKIP = "PAPERROUND_TESTS_MUST_NOT_SKIP"


def pytest_configure() -> None:
    # Settings of the person who runs the tests are no part of the tests; commands started by them inherit this too.
    for name in [name for name in os.environ if name.startswith("PAPERROUND_") and name != MUST_NOT_SKIP]:
        del os.environ[name]


def _skipped(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", [])) if reporter else 0


def pytest_sessionfinish(session: pytest.Session) -> None:
    if os.environ.get(MUST_NOT_SKIP) and _skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if os.environ.get(MUST_NOT_SKIP) and _skipped(config):
        terminalreporter.write_line(f"{MUST_NOT_SKIP} is set, and tests were skipped: this counts as a failure")
