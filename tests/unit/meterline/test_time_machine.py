"""Which times can be looked back at, and what is told of those that can not."""

from datetime import date

import pytest

from metering.instants import DAY_MS
from meterline.cli import _close, _parser
from meterline.operations.billing import _known_cutoff, _version_as_of
from meterline.operations.registry import RequestError
from meterline.settings import Settings
from rating import catalog_store
from tests.unit.rating.world import CATALOG, TENANT, store

HEAD = 2
DAY = date(2026, 11, 20)
END_MS = (DAY - date(1970, 1, 1)).days * DAY_MS + DAY_MS


def test_a_cutoff_is_a_block_that_is_stored_and_the_newest_where_none_is_named() -> None:
    assert [_known_cutoff(text, HEAD) for text in (None, "1", "2")] == [2, 1, 2]
    assert _known_cutoff(None, 0) == 0


@pytest.mark.parametrize("text", ["3", "0", "-1", "new", "", "1.0", " 1", "1\n", "\u0661", "9" * 30])
def test_another_cutoff_is_told_which_there_are(text: str) -> None:
    with pytest.raises(RequestError, match="none of this ledger: they go from 1 to 2"):
        _known_cutoff(text, HEAD)
    with pytest.raises(RequestError, match="nothing is stored yet"):
        _known_cutoff(text, 0)


@pytest.mark.parametrize(("applied_at", "known_on_the_day"), [(END_MS - 1, True), (END_MS, False)])
def test_a_day_has_the_prices_that_were_applied_before_it_ended(applied_at: int, *, known_on_the_day: bool) -> None:
    with store().begin() as connection:
        catalog_store.apply(connection, TENANT, CATALOG, "tests", applied_at)
        assert _version_as_of(connection, TENANT, None) == 1
        if known_on_the_day:
            assert _version_as_of(connection, TENANT, "2026-11-20") == 1
        else:
            with pytest.raises(RequestError, match="tenant default had no catalog on 2026-11-20"):
                _version_as_of(connection, TENANT, "2026-11-20")


@pytest.mark.parametrize("text", ["yesterday", "", "20261120", "2026-11-31", "9999-12-31"])
def test_what_is_no_day_is_told_how_one_is_written(text: str) -> None:
    with store().begin() as connection, pytest.raises(RequestError, match="expected a date"):
        _version_as_of(connection, TENANT, text)


@pytest.mark.parametrize(
    "options", [["--cutoff", "1"], ["--prices-as-of", "2026-11-20"], ["--discard", "why", "--cutoff", "1"]]
)
def test_only_a_dry_run_looks_back(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert _close(Settings(), _parser().parse_args(["close", "2026-11", *options])) == 2
    assert "add --dry-run" in capsys.readouterr().err


def test_a_dry_run_discards_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        _parser().parse_args(["close", "2026-11", "--dry-run", "--discard", "why"])
    assert "not allowed with" in capsys.readouterr().err
