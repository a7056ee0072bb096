"""Meters at a version: what a version says stays said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.meters import Layout, Meter, layouts, measures, meters, meters_at, write_meters
from ledger.relational import connect, metadata

GB = Meter("gb", "egress", "sum", value="gb", dimensions={"zone": "net.zone", "area": "area"})
CALLS = Meter("calls", "api", "count", dimensions={"area": "area"})
BYTES = Meter("bytes", "egress", "sum", value="bytes", dimensions={"place": "area"})


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sa.Connection]:
    engine = connect(f"sqlite:///{tmp_path}/meters.sqlite")
    metadata.create_all(engine, [meters])
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_each_version_keeps_the_meters_it_had(connection: sa.Connection) -> None:
    changed = Meter("gb", "egress", "sum", value="gigabytes")
    write_meters(connection, "acme", 1, [GB, CALLS])
    write_meters(connection, "acme", 2, [changed])
    write_meters(connection, "globex", 3, [CALLS])
    write_meters(connection, "acme", 4, [GB])
    assert [meters_at(connection, version) for version in range(6)] == [
        {},
        {"acme": [CALLS, GB]},
        {"acme": [CALLS, changed]},
        {"acme": [CALLS, changed], "globex": [CALLS]},
        {"acme": [CALLS, GB], "globex": [CALLS]},
        {"acme": [CALLS, GB], "globex": [CALLS]},
    ]
    assert meters_at(connection, 4, "globex") == {"globex": [CALLS]}


def test_a_meter_that_is_the_same_already_is_not_written_again(connection: sa.Connection) -> None:
    for version in (1, 2, 3):
        write_meters(connection, "acme", version, [GB])
    assert [tuple(row) for row in connection.execute(sa.select(meters.c.version, meters.c.superseded))] == [(1, None)]


def test_a_layout_holds_each_path_of_a_type_once_and_in_order() -> None:
    assert layouts([GB, CALLS, BYTES]) == {
        "egress": Layout(("bytes", "gb"), ("area", "net.zone")),
        "api": Layout((), ("area",)),
    }


def test_a_measure_says_where_its_value_and_dimensions_stand_in_the_layout() -> None:
    assert measures({"acme": [BYTES, CALLS, GB], "globex": [GB]}) == [
        ("acme", "egress", "bytes", 1, ["place"], [1]),
        ("acme", "api", "calls", 0, ["area"], [1]),
        ("acme", "egress", "gb", 2, ["area", "zone"], [1, 2]),
        ("globex", "egress", "gb", 1, ["area", "zone"], [1, 2]),
    ]
