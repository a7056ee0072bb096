"""How far Hypothesis searches, and where tests that need an engine have it: one for the session, a database a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from ledger.engine import EngineSettings, open_handle
from tests.place import Place

# A deadline or a slow draw says how busy the machine is, not whether the law holds.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("default", _UNTIMED, derandomize=True)
settings.register_profile("nightly", _UNTIMED, derandomize=False, max_examples=2_000)
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test first, so that the others run beside it."""
    items.sort(key=lambda item: "test_chaos" not in item.nodeid)


# Faults are meant here, and a traceback with every local drawn around it costs more than the test that causes it.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


@pytest.fixture(scope="session")
def engine_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The one directory of the embedded engine: a process can open no other, and here it is opened once."""
    path = tmp_path_factory.mktemp("clickhouse")
    kept_open = open_handle(EngineSettings(path=str(path), database="default"))
    yield path
    kept_open.close()


@pytest.fixture
def place(engine_path: Path, tmp_path: Path) -> Iterator[Place]:
    """A fresh place for a ledger."""
    fresh = Place(engine_path, tmp_path)
    yield fresh
    fresh.close()
