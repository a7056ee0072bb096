"""Write and read rated lines: immutable under the run that made them.

Charges may be many parts; whether a run counts is said by its relational row alone, which is written afterwards.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ledger.digest import columns_digest
from ledger.engine import Handle
from ledger.errors import Damaged

USAGE, FEE = "usage", "fee"
"""Kinds of lines: what was used, and what is owed for time whatever was used."""
COMMITMENT, DISCOUNT, TAX = "commitment", "discount", "tax"
"""Kinds of lines that are made of others: no events stand behind them."""
CREDIT, PROMOTION = "credit", "promotion"
"""And below zero, what credit paid: credit that the customer paid for, and credit that was given away."""
CARRIED = "carried"
"""What credit did not suffice for: below zero where it is carried over, above zero on the invoice after it."""
KINDS = (USAGE, FEE, COMMITMENT, DISCOUNT, CREDIT, PROMOTION, CARRIED, TAX)
"""In the order in which an invoice says them: each is made of those before it, but no tax is less for credit."""

PARTIES = ("entity", "customer", "currency")
"""Whose invoice a line is on: lines are in their order."""

LABEL = pa.dictionary(pa.int32(), pa.string())
"""Text of few different values: a million lines name each of them by its place."""

SCHEMA = pa.schema(
    [
        pa.field("run", pa.uint64(), nullable=False),
        pa.field("line", pa.uint32(), nullable=False),
        pa.field("tenant", LABEL, nullable=False),
        pa.field("entity", LABEL, nullable=False),
        pa.field("customer", pa.string(), nullable=False),
        pa.field("currency", LABEL, nullable=False),
        pa.field("contract", pa.string(), nullable=False),
        pa.field("plan", LABEL, nullable=False),
        pa.field("product", LABEL, nullable=False),
        pa.field("kind", LABEL, nullable=False),
        pa.field("meter", LABEL, nullable=False),
        pa.field("price_version", pa.uint32(), nullable=False),
        pa.field("subjects", pa.list_(pa.field("item", pa.string(), nullable=False)), nullable=False),
        pa.field("window_start", pa.int64(), nullable=False),
        pa.field("window_end", pa.int64(), nullable=False),
        pa.field("cutoff", pa.uint64(), nullable=False),
        pa.field("events", pa.uint64(), nullable=False),
        pa.field("quantity", pa.decimal128(38, 9), nullable=False),
        pa.field("digest", pa.binary(16), nullable=False),
        pa.field("exact_numerator", pa.decimal256(76, 0), nullable=False),
        pa.field("exact_denominator", pa.decimal128(38, 0), nullable=False),
        pa.field("amount", pa.int64(), nullable=False),
    ]
)

DIGESTED = pa.schema([field for field in SCHEMA if field.name != "run"])

OF_CONTRACTS = (USAGE, FEE, COMMITMENT, DISCOUNT)
"""The kinds of lines that are a contract's, before credit pays."""

_PLACE = pa.int32()

TO_CONTRACTS = pa.schema(
    [SCHEMA.field("contract"), pa.field("currency", _PLACE, nullable=False), SCHEMA.field("amount")]
)
"""In minor units; currencies are places in a list that the reader has."""

PRICED = pa.schema(
    [
        SCHEMA.field("contract"),
        pa.field("currency", _PLACE, nullable=False),
        pa.field("meter", _PLACE, nullable=False),
        *(SCHEMA.field(name) for name in ("window_start", "window_end", "events", "quantity", "amount")),
    ]
)
"""What was priced, and what it came to; meters are places as well."""

BY_CUSTOMER = pa.schema(
    [SCHEMA.field("customer"), SCHEMA.field("currency"), pa.field("amount", pa.decimal128(38, 0), nullable=False)]
)
"""In minor units."""

BY_CONTRACT = pa.schema(
    [
        *(SCHEMA.field(name) for name in ("run", "contract", "currency")),
        pa.field("used", pa.decimal128(38, 0), nullable=False),
        pa.field("made", pa.decimal128(38, 0), nullable=False),
    ]
)
"""In minor units, what usage and fees came to, and what commitments made of it."""


def labels(names: pa.Array | Sequence[str], place: NDArray[np.int64]) -> pa.DictionaryArray:
    """Row by row one of `names`, which need not all be used."""
    return pa.DictionaryArray.from_arrays(place.astype(np.int32), pa.array(names, LABEL.value_type))


def column(charges: pa.Table, name: str) -> pa.Array:
    """A column as one array, also when there are no rows."""
    chunks = charges[name].chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks or [pa.array([], charges[name].type)])


def starts_of_groups(charges: pa.Table, names: Sequence[str] = PARTIES) -> NDArray[np.int64]:
    """The rows of sorted `charges` at which one of the columns `names` changes."""
    changes = np.zeros(len(charges), np.bool_)
    changes[:1] = True
    for name in names:
        values = column(charges, name)
        # Numbers are compared in a tenth of the time.
        comparable = values.indices if pa.types.is_dictionary(values.type) else values
        changes[1:] |= pc.not_equal(comparable[1:], comparable[:-1]).to_numpy(zero_copy_only=False)
    return np.flatnonzero(changes)


def digest(charges: pa.Table) -> bytes:
    """What the lines of a run say, whichever run said it: a run repeated has the same digest."""
    return columns_digest(charges, DIGESTED)


def write(handle: Handle, charges: pa.Table) -> None:
    """Write the lines of one run, and check that all of them are there; their digest is `verify`'s to compare."""
    if not len(charges):
        return
    handle.insert_in_parts("charges", charges.cast(SCHEMA))
    run = charges["run"][0].as_py()
    (lines,) = handle.row("charges_count", run=run)
    if lines != len(charges):
        raise Damaged(f"run {run}", f"{lines} charges are there of {len(charges)}; the run is not kept: close again")


def read(handle: Handle, run: int) -> pa.Table:
    """The lines of one run, in order."""
    return handle.table("charges", run=run).cast(SCHEMA)


def read_priced(handle: Handle, run: int, meters: Sequence[str], currencies: Sequence[str]) -> pa.Table:
    """Of the lines of one run for usage of some meters, in any order, what was priced; fees are of the empty meter."""
    return handle.table("priced", run=run, meters=list(meters), currencies=list(currencies)).cast(PRICED)


def to_contracts(handle: Handle, run: int, but: Sequence[str], currencies: Sequence[str]) -> pa.Table:
    """What the lines of one run that are contracts' came to, in any order, but for usage and fees of some meters."""
    asked = {"kinds": list(OF_CONTRACTS), "but": list(but), "currencies": list(currencies)}
    return handle.table("charged_to_contracts", run=run, **asked).cast(TO_CONTRACTS)


def by_customer(handle: Handle, run: int, kinds: Sequence[str]) -> pa.Table:
    """What lines of some kinds of one run charged customers, in any order."""
    return handle.table("charged_by_customer", run=run, kinds=list(kinds)).cast(BY_CUSTOMER)


def by_contract(handle: Handle, runs: Sequence[int], contracts: Sequence[str]) -> pa.Table:
    """What `runs` charged `contracts`, in any order."""
    found = handle.table("charged_by_contract", runs=list(runs), contracts=list(contracts))
    return found.cast(BY_CONTRACT)
