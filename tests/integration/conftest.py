"""Say at the end of a test run what was left out because a service is not on this machine."""

import pytest

LEFT_OUT = pytest.StashKey[list[str]]()


def leave_out(config: pytest.Config, what: str) -> None:
    """Have `what` told at the end."""
    config.stash.setdefault(LEFT_OUT, []).append(what)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell it."""
    for what in config.stash.get(LEFT_OUT, []):
        terminalreporter.write_line(f"LEFT OUT: {what}", yellow=True)
