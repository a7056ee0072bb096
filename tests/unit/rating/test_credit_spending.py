"""A customer's credit burns in the order that the catalog says at the close."""

import pyarrow as pa

from rating import repeat, runs
from rating.credit_spending import Spending, spendings
from tests.unit.rating.crediting import balances, closed, grant_of, granted, moved
from tests.unit.rating.test_credit_close import GLOBEX, NOVEMBER, OCTOBER, USAGE_OF_ALL
from tests.unit.rating.world import CATALOG, MemoryLedger, applied, store


def test_what_customers_said_is_read_once_for_all_who_said_the_same() -> None:
    said = ['{"order":["amount desc"],"drawn":"daily"}', '{"order":["from asc"]}']
    found = spendings(pa.array(["a", "b", "c"]), pa.array([said[0], said[1], said[0]]))
    assert found.terms == [Spending(), Spending(("amount desc",), "daily"), Spending(("from asc",))]
    assert found.of.tolist() == [1, 2, 1]
    assert found.daily().to_pylist() == ["a", "c"]


def test_a_customer_s_own_order_counts_from_the_close_after_it() -> None:
    ledger, relational = MemoryLedger(USAGE_OF_ALL), store()
    applied(relational, CATALOG)
    applied(relational, GLOBEX)
    granted(
        relational,
        grant_of("small", 50),
        grant_of("large", 600, cost_basis="0.5"),
        grant_of("of globex", 20, customer="globex"),
        grant_of("more of globex", 40, customer="globex"),
    )
    closed(ledger, relational, OCTOBER)
    assert balances(ledger, relational)["small"] == 0
    applied(relational, 'customers: [{id: acme, subjects: [acme-prod], credit: {order: ["cost_basis desc", amount]}}]')
    granted(relational, grant_of("tiny", 1))
    closed(ledger, relational, NOVEMBER)
    assert [(grant, amount) for grant, _, credit, amount in moved(ledger, 2) if credit == "used"] == [
        *(("large", 20), ("large", 500)),
        *(("of globex", 20), ("more of globex", 30)),
    ]
    with relational.connect() as connection:
        for run in runs.live_runs(connection):
            assert list(repeat.problems(ledger, connection, run)) == []
