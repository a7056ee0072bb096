"""The relational store: who may read its file."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.errors import Refused
from ledger.relational import connect


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """A process that gives what it makes to everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(directory: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


def test_only_its_owner_may_read_the_file_and_those_beside_it(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/new.sqlite")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (a INTEGER)"))
        assert modes(tmp_path) == {"new.sqlite": 0o600, "new.sqlite-wal": 0o600, "new.sqlite-shm": 0o600}
    engine.dispose()


def test_a_file_that_others_could_read_is_made_private_with_what_it_holds(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/old.sqlite")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (a INTEGER)"))
    engine.dispose()
    (tmp_path / "old.sqlite").chmod(0o644)
    (tmp_path / "old.sqlite-wal").touch(0o644)  # as a kill leaves it
    again = connect(f"sqlite:///{tmp_path}/old.sqlite")
    with again.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["t"]
        assert set(modes(tmp_path).values()) == {0o600}
    again.dispose()


def test_a_file_that_cant_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"missing/new\.sqlite can't be used as the relational store: No such file"):
        connect(f"sqlite:///{tmp_path}/missing/new.sqlite")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql+nodriver://me:secret@host/d", r"a driver that is not installed \(.*nodriver\): expected postgres"),
        ("sqlite+nodriver:///file", r"a driver that is not installed"),
        ("postgres://me:secret@host/d", "begins with postgres: expected postgresql"),
        ("mysql://me:secret@host/d", "begins with mysql: expected postgresql"),
        ("me:secret@host/d", "can't be read: expected postgresql"),
        ("secret", "can't be read: expected postgresql"),
    ],
)
def test_an_address_that_can_not_be_used_is_told_without_its_password(url: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as refused:
        connect(url)
    assert "secret" not in str(refused.value)
