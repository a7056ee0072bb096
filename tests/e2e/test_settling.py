"""A commitment that is missed, a discount and two taxes, from the catalog to the general ledger and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.billed import accounts, check_balance, lines_of
from tests.e2e.site import Site, event

CATALOG = """
meters:
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb, unit: GB}
plans:
  - name: standard
    currency: EUR
    prices:
      - {product: Egress, meter: gb_out, model: per_unit, unit_price: "10"}
customers:
  - {id: acme, subjects: [acme-prod], tax_place: QC}
  - {id: globex, subjects: [globex], tax_place: QC, tax_exempt: First Nations}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-01-01,
     commitment: {product: Minimum, amount: 100, true_up: true}, discounts: [{name: Launch, percent: 10}]}
  - {id: C-2, customer: globex, plan: standard, entity: DE01, start: 2026-01-01}
taxes:
  - {name: GST, rate: 5, place: QC}
  - {name: QST, rate: "9.975", place: QC}
"""
INVOICE = "INV.2026-10.DE01.acme.EUR"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service that holds 2.5 GB of acme, at 10.00 each, and 1 GB of globex."""
    site = Site(tmp_path_factory.mktemp("settling"), CATALOG)
    site.start()
    used = [event(n, data={"gb": "0.5"}) for n in range(5)] + [event(9, subject="globex", data={"gb": 1})]
    assert site.send(used).json["accepted"] == 6
    yield site
    if site.service is not None:
        site.stop()


def test_an_invoice_carries_what_was_agreed_and_the_journal_balances(site: Site) -> None:
    dry = site.asked("close", "2026-10", "--dry-run")
    closed = site.asked("close", "2026-10")
    # 25.00 used and 75.00 missing, less 10 %: 90.00, and taxes of 4.50 and 8.97750 on it; globex: 10.00, exempt.
    assert closed["totals"] == dry["totals"] == {"EUR": "113.48"}
    assert closed["rounding"] == {"EUR": "0.0025"}
    assert (closed["events"], closed["charges"], closed["residual"]["events"]) == (6, 6, 0)
    invoices = {invoice["customer"]: invoice for invoice in site.asked("invoices", "2026-10")["invoices"]}
    assert lines_of(invoices["acme"]) == [
        ("usage", "Egress", "25.00"),
        ("commitment", "Minimum", "75.00"),
        ("discount", "Launch", "-10.00"),
        ("tax", "GST", "4.50"),
        ("tax", "QST", "8.98"),
    ]
    assert invoices["acme"]["total"] == "103.48"
    assert lines_of(invoices["globex"]) == [("usage", "Egress", "10.00")]
    site.asked("approve", "2026-10")
    posted = site.asked("post", "2026-10")["documents"]
    assert {one["state"] for one in posted} == {"posted"}
    (journal,) = (one for one in posted if one["kind"] == "journal")
    assert accounts(Path(journal["file"])) == {
        "assets:receivable": "113.48",
        "revenue:Egress": "-35.00",
        "revenue:Minimum": "-75.00",
        "revenue:less discounts:Launch": "10.00",
        "liabilities:tax payable:GST": "-4.50",
        "liabilities:tax payable:QST": "-8.98",
    }
    check_balance(Path(journal["file"]))

    for line, made_of in ((1, []), (2, [1]), (3, [1, 2]), (4, [1, 2, 3]), (5, [1, 2, 3])):
        traced = site.asked("trace", f"{INVOICE}:{line}")
        assert traced["ok"] is True
        assert traced["made_of"] == [f"{INVOICE}:{number}" for number in made_of]
        assert traced["events"] == (5 if line == 1 else 0)
    tax = site.asked("trace", f"{journal['id']}:2")
    assert (tax["made_of"], tax["events"], tax["ok"]) == ([f"{INVOICE}:4"], 0, True)
    assert f"made of {INVOICE}:1" in site.run("trace", f"{INVOICE}:2").output
    assert site.asked("verify")["ok"] is True


def test_what_if_sees_what_is_agreed(site: Site, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text("taxes:\n  - {name: GST, rate: 10, place: QC}\n")
    told = site.asked("what-if", str(draft), "--period", "2026-10")
    assert told["totals"]["EUR"]["change"] == "4.50"


def test_goods_that_no_tax_of_the_place_names_are_not_closed(site: Site, tmp_path: Path) -> None:
    more = tmp_path / "more.yaml"
    more.write_text(
        "plans:\n  - name: standard\n    currency: EUR\n    prices:\n      - {product: Egress, meter: gb_out, "
        'model: per_unit, unit_price: "10", tax_category: books, from: 2026-09-01}\n'
        "taxes:\n  - {name: VAT, rate: 7, place: DE, category: books}\n"
    )
    site.asked("apply", str(more))
    site.send([event(40, time="2026-09-15T00:00:00Z")])
    refused = site.run("close", "2026-09")
    assert refused.status == 2
    assert "nobody knows what is taxed in QC as books" in refused.said
