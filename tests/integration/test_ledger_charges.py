"""What was charged is read back by place and in sums, each line in one of the answers: as the tests' ledger answers."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from ledger.charges import COMMITMENT, CREDIT, DISCOUNT, FEE, OF_CONTRACTS, TAX
from tests.place import Place
from tests.unit.posting.charging import Charge, charges, made
from tests.unit.rating.world import MemoryLedger

LINES = [
    Charge(amount=2**62),
    Charge(amount=-7, meter="gb_out", quantity="-0.000000001"),
    Charge(customer="bob", contract="C-2", currency="USD", amount=5, events=0),
    made(FEE, 700, "Base", "C-1"),
    made(COMMITMENT, 11, "Commitment", "C-1"),
    made(DISCOUNT, -3, "Less", "C-2", "bob", "USD"),
    made(CREDIT, -1, "Credit", "C-1"),
    made(TAX, 2**62, "VAT"),
    made(TAX, 2**62, "Surcharge"),
    made(TAX, 2**62, "Levy"),
]
CURRENCIES = ["CHF", "EUR", "USD"]
MANY = [f"meter-{number}" for number in range(40_000)]
"""More than 16 bits have places for."""


def rows(table: pa.Table) -> list[tuple[object, ...]]:
    return sorted(tuple(row.values()) for row in table.to_pylist())


@pytest.mark.parametrize("meters", [[], ["gb_out"], ["", "gb_out"], [*MANY, "api_calls"]], ids=len)
def test_a_run_is_read_back_as_it_was_written(place: Place, meters: Sequence[str]) -> None:
    known = MemoryLedger()
    with place.ledger() as ledger:
        for run in (1, 2):
            written = charges(LINES[: -run + 1 or None], run)
            for one in (ledger, known):
                one.write_charges(written)
        for run in (1, 2, 3):
            asked = run, meters, CURRENCIES
            priced, others = ledger.read_priced(*asked), ledger.charged_to_contracts(*asked)
            assert rows(priced) == rows(known.read_priced(*asked))
            assert rows(others) == rows(known.charged_to_contracts(*asked))
            for kinds in ((TAX,), (*OF_CONTRACTS, TAX)):
                assert rows(ledger.charged_by_customer(run, kinds)) == rows(known.charged_by_customer(run, kinds))
