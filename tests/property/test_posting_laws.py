"""Whatever was rated, invoices and journals say all of it, once, and files give it back."""

from random import Random

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from posting import invoice_file, journal_file
from posting.accounts import STANDARD
from posting.content import Invoice, digest, unbalanced
from posting.invoices import Invoices
from posting.journal import journals
from posting.lineage import summarized
from tests.property.posting_cases import CHARGES
from tests.unit.posting.charging import Charge, charges


@given(CHARGES)
def test_every_charge_is_in_one_invoice_and_the_sums_agree_in_each_currency(lines: list[Charge]) -> None:
    table = charges(lines)
    made = Invoices(table, "default", "2026-11")
    invoices = [made.invoice(document_id) for document_id in made.places]
    summaries = journals(table, "default", "2026-11")
    for entity, currency in {(line.entity, line.currency) for line in lines}:
        rated = sum(line.amount for line in lines if (line.entity, line.currency) == (entity, currency))
        invoiced = sum(i.total for i in invoices if (i.entity, i.currency) == (entity, currency))
        of_entity = next(journal for journal in summaries if journal.entity == entity)
        balances = {account: sum_ for (account, code), sum_ in of_entity.balances().items() if code == currency}
        receivable = balances.pop("assets:receivable")
        assert rated == invoiced == receivable == -sum(balances.values())
    assert sum(len(invoice.lines) for invoice in invoices) == len(lines)
    assert len({invoice.key for invoice in invoices}) == len(invoices)


@given(CHARGES)
def test_a_journal_balances_and_no_figure_is_negative_or_on_both_sides(lines: list[Charge]) -> None:
    for journal in journals(charges(lines), "default", "2026-11"):
        assert not unbalanced(journal.lines)
        assert all(min(line.debit, line.credit) == 0 <= max(line.debit, line.credit) for line in journal.lines)


@given(CHARGES)
def test_each_charge_stands_behind_one_receivable_and_one_other_line(lines: list[Charge]) -> None:
    table = charges(lines)
    for journal in journals(table, "default", "2026-11"):
        of_entity = table.filter(pc.equal(table["entity"], journal.entity))
        for side in (True, False):
            behind = [
                summarized(of_entity, line) for line in journal.lines if (line.account == STANDARD.receivable) == side
            ]
            found = [number for part in behind for number in part["line"].to_pylist()]
            assert sorted(found) == of_entity["line"].to_pylist()


@given(CHARGES, st.randoms(use_true_random=False), st.integers(1, 4))
def test_neither_order_nor_chunks_of_the_charges_reach_a_document(
    lines: list[Charge], random: Random, size: int
) -> None:
    distinct = list(
        {(line.customer, line.entity, line.currency, line.contract, line.product): line for line in lines}.values()
    )
    shuffled = random.sample(distinct, len(distinct))
    one = charges(distinct)
    other = pa.Table.from_batches(charges(shuffled).to_batches(max_chunksize=size), one.schema)
    assert Invoices(one, "t", "2026-11").drafts() == Invoices(other, "t", "2026-11").drafts()
    assert journals(one, "t", "2026-11") == journals(other, "t", "2026-11")


@given(CHARGES)
def test_the_digest_from_columns_is_the_digest_of_the_document(lines: list[Charge]) -> None:
    made = Invoices(charges(lines), "default", "2026-11")
    assert made.digests() == [digest(made.invoice(document_id)) for document_id in made.places]


@given(CHARGES)
def test_files_give_back_what_was_written(lines: list[Charge]) -> None:
    table = charges(lines)
    made = Invoices(table, "default", "2026-11")
    for document_id in made.places:
        invoice = made.invoice(document_id)
        read = invoice_file.parse(invoice_file.render(invoice))
        assert isinstance(read, Invoice)
        assert read == invoice
    for journal in journals(table, "default", "2026-11"):
        back = journal_file.parse(journal_file.render(journal))
        assert (digest(back), back.balances()) == (digest(journal), journal.balances())
