"""The head anchor's file: it says the new head, and is on the disk, before the anchor counts as written."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from ledger import anchor
from ledger.block import Marker, genesis
from ledger.relational import connect, metadata


@pytest.fixture
def relational(tmp_path: Path) -> Iterator[sa.Engine]:
    """A relational store."""
    engine = connect(f"sqlite:///{tmp_path}/relational.sqlite")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def head(block: int) -> Marker:
    return msgspec.structs.replace(genesis("x"), block=block)


def said(directory: Path) -> int:
    """The block that the anchor's file names."""
    return msgspec.json.decode((directory / anchor.FILE_NAME).read_bytes(), type=anchor.Anchor).block


def test_a_new_name_is_synced_into_its_directory(
    relational: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    sync = os.fsync

    def noting(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            synced.append(said(tmp_path))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    for block in (1, 2):
        anchor.write(relational, tmp_path, "x", head(block))
    assert synced == [1, 2]


def test_an_anchor_that_is_not_on_the_disk_is_not_written(
    relational: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing)
        with pytest.raises(OSError, match="the disk is gone"):
            anchor.write(relational, tmp_path, "x", head(1))
    anchor.write(relational, tmp_path, "x", head(1))
    assert said(tmp_path) == 1
