"""A small catalog and a ledger in memory for the tests of rating; it answers from the usage it was given."""

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

import rating.credit_grants
import rating.runs
from ledger import movements
from ledger.charges import BY_CONTRACT, BY_CUSTOMER, COMMITMENT, FEE, OF_CONTRACTS, PRICED, SCHEMA, TO_CONTRACTS, USAGE
from ledger.relational import metadata
from ledger.scale import QUANTITY_ONE, digests
from ledger.trace import OfMeter
from ledger.usage import Keyed, Peaks, Singles, Slots, Stretched, Totals
from rating import book as books
from rating import catalog_store
from rating.book import Book
from rating.boundaries import boundaries
from rating.catalog_store import Applied
from rating.exact import narrowed
from rating.periods import Period

assert rating.runs.runs.metadata is metadata

TENANT = "default"
NOVEMBER = Period(2026, 11)
NOVEMBER_FIRST_MS = 1_793_491_200_000
"""2026-11-01T00:00:00Z"""
DECEMBER_FIRST_MS = 1_796_083_200_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NOW_MS = 1_795_219_200_000
"""2026-11-21T00:00:00Z"""

CATALOG = """\
meters:
  - {name: api_calls, event_type: api.request, aggregation: count, dimensions: {region: region}}
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb, unit: GB}
plans:
  - name: standard
    currency: EUR
    prices:
      - {product: API, meter: api_calls, model: graduated, tiers: [{up_to: 1000, unit_price: 0}, {unit_price: 0.0004}]}
      - {product: Egress, meter: gb_out, model: per_unit, unit_price: "0.05"}
customers:
  - {id: acme, name: Acme GmbH, subjects: [acme-prod, acme-test]}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-01-01}
"""


class Use(NamedTuple):
    """One row of usage."""

    meter: str
    subject: str
    time: int
    quantity: int
    """Scaled."""
    block: int = 1
    dimensions: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> int:
        """Any number that is this row's own."""
        own: bytes = hashlib.blake2b(repr(tuple(self)).encode(), digest_size=16).digest()
        return int.from_bytes(own, "little")


def units(count: int) -> int:
    """`count` whole units, scaled."""
    return int(count * QUANTITY_ONE)


class Head(NamedTuple):
    block: int


class MemoryLedger:
    """Usage and charges in memory."""

    def __init__(self, usage: Sequence[Use] = ()) -> None:
        self.usage = list(usage)
        self.charges: dict[int, pa.Table] = {}
        self.movements: dict[int, pa.Table] = {}
        self.lost = 0
        """How many rows the sums leave out: a fault that conservation has to see."""

    @property
    def head(self) -> Head:
        return Head(max((use.block for use in self.usage), default=0))

    def totals(self, _: str, boundaries: Sequence[int], cutoff: int) -> Totals:
        groups: dict[tuple[str, str, int], list[Use]] = defaultdict(list)
        for use in self._known(boundaries, cutoff)[self.lost :]:
            groups[use.meter, use.subject, _segment(use, boundaries)].append(use)
        return totals(
            [
                (*key, sum(use.quantity for use in uses), len(uses), sum(use.digest for use in uses) % 2**128)
                for key, uses in groups.items()
            ]
        )

    def _known(self, boundaries: Sequence[int], cutoff: int) -> list[Use]:
        """In the order of time."""
        known = [use for use in self.usage if use.block <= cutoff and boundaries[0] <= use.time < boundaries[-1]]
        return sorted(known, key=lambda use: use.time)

    def keyed(
        self, _: str, meter: str, names: Sequence[str], slots: Slots, boundaries: Sequence[int], cutoff: int
    ) -> Keyed:
        sums: dict[tuple[str, int, tuple[str, ...]], int] = defaultdict(int)
        for use in self._known(boundaries, cutoff):
            if use.meter == meter:
                sums[use.subject, _segment(use, boundaries), _key(use, names, slots)] += use.quantity
        keys = sorted({values for _, _, values in sums})
        return Keyed(
            pa.array([meter] * len(sums), pa.string()),
            pa.array([subject for subject, _, _ in sums], pa.string()),
            np.array([segment for _, segment, _ in sums], dtype=np.int64),
            narrowed(np.array(list(sums.values()), dtype=np.object_)),
            np.array([keys.index(values) for _, _, values in sums], dtype=np.int64),
            keys,
        )

    def stretched(self, _: str, meter: str, boundaries: Sequence[int], cutoff: int) -> Stretched:
        sums: dict[tuple[str, int], int] = defaultdict(int)
        for use in self._known(boundaries, cutoff):
            if use.meter == meter:
                sums[use.subject, _segment(use, boundaries)] += use.quantity
        return Stretched(
            pa.array([meter] * len(sums), pa.string()),
            pa.array([subject for subject, _ in sums], pa.string()),
            np.array([segment for _, segment in sums], dtype=np.int64),
            narrowed(np.array(list(sums.values()), dtype=np.object_)),
        )

    def singles(self, _: str, meters: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Singles:
        uses = [use for use in self._known(boundaries, cutoff) if use.meter in meters]
        return Singles(
            pa.array([use.meter for use in uses], pa.string()),
            pa.array([use.subject for use in uses], pa.string()),
            np.array([_segment(use, boundaries) for use in uses], dtype=np.int64),
            narrowed(np.array([use.quantity for use in uses], dtype=np.object_)),
        )

    def peaks(self, _: str, meters: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Peaks:
        highest: dict[tuple[str, str, int], int] = {}
        for use in self._known(boundaries, cutoff):
            key = use.meter, use.subject, _segment(use, boundaries)
            if use.meter in meters:
                highest[key] = max(use.quantity, highest.get(key, use.quantity))
        return Peaks(
            pa.array([meter for meter, _, _ in highest], pa.string()),
            pa.array([subject for _, subject, _ in highest], pa.string()),
            np.array([segment for _, _, segment in highest], dtype=np.int64),
            narrowed(np.array(list(highest.values()), dtype=np.object_)),
        )

    def usage_by_meter(self, lines: pa.Table, meters: Sequence[str]) -> dict[str, OfMeter]:
        found: dict[str, list[int]] = defaultdict(list)
        for line in lines.to_pylist():
            for use in self._known([line["window_start"], line["window_end"]], line["cutoff"]):
                if use.meter in meters and use.subject in line["subjects"]:
                    found[use.meter].append(use.quantity)
        return {meter: OfMeter(sum(quantities), max(quantities)) for meter, quantities in found.items()}

    def single_usage(self, lines: pa.Table) -> list[int]:
        return [use.quantity for use in self._behind(lines)]

    def usage_by_key(self, lines: pa.Table, names: Sequence[str], slots: Slots) -> list[tuple[tuple[str, ...], int]]:
        sums: dict[tuple[str, ...], int] = defaultdict(int)
        for use in self._behind(lines):
            sums[_key(use, names, slots)] += use.quantity
        return sorted(sums.items())

    def usage_by_stretch(self, lines: pa.Table, boundaries: Sequence[int]) -> list[tuple[int, int]]:
        sums: dict[int, int] = defaultdict(int)
        for use in self._behind(lines):
            sums[_segment(use, boundaries)] += use.quantity
        return sorted(sums.items())

    def _behind(self, lines: pa.Table) -> list[Use]:
        """The usage that charges were made of, in the order of time."""
        return [
            use
            for line in lines.to_pylist()
            for use in self._known([line["window_start"], line["window_end"]], line["cutoff"])
            if use.meter == line["meter"] and use.subject in line["subjects"]
        ]

    def counts(self, _: str, start: int, end: int, cutoff: int) -> dict[str, tuple[int, int]]:
        counted: dict[str, tuple[int, int]] = {}
        for use in self.usage:
            if use.block <= cutoff and start <= use.time < end:
                events, quantity = counted.get(use.meter, (0, 0))
                counted[use.meter] = (events + 1, quantity + use.quantity)
        return counted

    def chain_at(self, block: int) -> str:
        said = repr([use for use in self.usage if use.block <= block])
        return hashlib.blake2b(said.encode(), digest_size=32).hexdigest()

    def write_charges(self, lines: pa.Table) -> None:
        for run in lines["run"].unique().to_pylist():
            self.charges[run] = lines

    def read_charges(self, run: int) -> pa.Table:
        return self.charges.get(run, SCHEMA.empty_table())

    def charged_by_contract(self, runs: Sequence[int], contracts: Sequence[str]) -> pa.Table:
        sums: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
        for row in (row for run in runs for row in self.read_charges(run).to_pylist()):
            if row["contract"] in contracts and row["kind"] in (USAGE, FEE, COMMITMENT):
                sums[row["run"], row["contract"], row["currency"]][row["kind"] == COMMITMENT] += row["amount"]
        rows = [(*key, *map(Decimal, amounts)) for key, amounts in sums.items()]
        columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(BY_CONTRACT)
        return pa.table(columns, schema=BY_CONTRACT)

    def write_movements(self, entries: pa.Table) -> None:
        for run in entries["run"].unique().to_pylist():
            self.movements[run] = entries

    def read_movements(self, run: int) -> pa.Table:
        return self.movements.get(run, movements.SCHEMA.empty_table())

    def credit_sums(self, runs: Sequence[int], until: int) -> pa.Table:
        sums: dict[tuple[str, str, str], int] = defaultdict(int)
        for entry in (entry for run in runs for entry in self.read_movements(run).to_pylist()):
            if entry["at"] <= until:
                sums[entry["grant_id"], entry["debit"], entry["credit"]] += entry["amount"]
        columns: list[Any] = list(zip(*sums, strict=True)) or [(), (), ()]
        amounts = [Decimal(amount) for amount in sums.values()]
        return pa.table([*columns, amounts], schema=movements.SUMS)

    def read_priced(self, run: int, meters: Sequence[str], currencies: Sequence[str]) -> pa.Table:
        rows = [row for row in self.read_charges(run).to_pylist() if _is_priced(row, meters)]
        return _placed(rows, PRICED, meter=meters, currency=currencies)

    def charged_to_contracts(self, run: int, but: Sequence[str], currencies: Sequence[str]) -> pa.Table:
        rows = [row for row in self.read_charges(run).to_pylist() if row["kind"] in OF_CONTRACTS]
        return _placed([row for row in rows if not _is_priced(row, but)], TO_CONTRACTS, currency=currencies)

    def charged_by_customer(self, run: int, kinds: Sequence[str]) -> pa.Table:
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for row in self.read_charges(run).to_pylist():
            if row["kind"] in kinds:
                sums[row["customer"], row["currency"]] += row["amount"]
        rows = [(*key, Decimal(amount)) for key, amount in sums.items()]
        columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(BY_CUSTOMER)
        return pa.table(columns, schema=BY_CUSTOMER)


def _is_priced(row: dict[str, Any], meters: Sequence[str]) -> bool:
    return row["kind"] in (USAGE, FEE) and row["meter"] in meters


def _placed(rows: Sequence[dict[str, Any]], schema: pa.Schema, **among: Sequence[str]) -> pa.Table:
    """Rows with places in lists for some of their texts."""
    placed = [row | {name: known.index(row[name]) for name, known in among.items()} for row in rows]
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in placed], schema=schema)


def _key(use: Use, names: Sequence[str], slots: Slots) -> tuple[str, ...]:
    values = tuple(dict(use.dimensions).get(name, "") for name in names)
    begun = [slot for instant, slot in slots if instant <= use.time]
    return (*values, *begun[-1:])


def _segment(use: Use, boundaries: Sequence[int]) -> int:
    return boundaries[bisect_right(boundaries, use.time) - 1]


def totals(rows: Sequence[tuple[str, str, int, int, int, int]]) -> Totals:
    """Sums from rows of (meter, subject, segment, quantity, events, digest)."""
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * 6
    return Totals(
        pa.array(columns[0], pa.string()),
        pa.array(columns[1], pa.string()),
        np.array(columns[2], dtype=np.int64),
        narrowed(np.array(columns[3], dtype=np.object_)),
        np.array(columns[4], dtype=np.int64),
        digests(b"".join(digest.to_bytes(16, "little") for digest in columns[5])),
    )


def exact_amount(charge: dict[str, Any]) -> Fraction:
    """What a charge costs before it is rounded."""
    return Fraction(int(charge["exact_numerator"]), int(charge["exact_denominator"]))


def store() -> sa.Engine:
    """An empty relational store in memory."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    metadata.create_all(engine)
    return engine


def applied(relational: sa.Engine, text: str, tenant: str = TENANT) -> Applied:
    """Apply a file that has no mistakes."""
    with relational.begin() as connection:
        done = catalog_store.apply(connection, tenant, text, "tests", NOW_MS)
    assert isinstance(done, Applied), [str(mistake) for mistake in done]
    return done


class Terms(NamedTuple):
    """What rating knows of a catalog."""

    book: Book
    boundaries: list[int]
    """Of November."""


def terms_of(text: str) -> Terms:
    """The terms of a catalog file."""
    relational = store()
    done = applied(relational, text)
    with relational.connect() as connection:
        book = books.load(connection, TENANT, done.version)
        return Terms(book, boundaries(connection, TENANT, done.version, NOVEMBER))


def book_of(text: str) -> Book:
    """The book of a catalog file."""
    return terms_of(text).book
