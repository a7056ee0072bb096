"""Past periods at other prices, as a person asks for them: nothing is applied, and what is asked wrongly is told."""

from pathlib import Path

from tests.e2e.site import Site, event

DRAFT = """
plans:
  - name: standard
    currency: EUR
    prices: [{product: Egress, meter: gb_out, model: per_unit, unit_price: "0.50"}]
"""


def test_a_closed_month_is_priced_again_and_stays_what_it_is(tmp_path: Path) -> None:
    site = Site(tmp_path)
    draft = tmp_path / "draft.yaml"
    draft.write_text(DRAFT)
    nothing = site.run("what-if", str(draft), "--period", "2026-10")
    assert (nothing.status, "no period of 2026-10 is closed" in nothing.said) == (2, True)
    site.start()
    site.send([event(number, data={"gb": "10"}) for number in range(4)])
    closed = site.asked("close", "2026-10")
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    found = site.asked("what-if", str(draft), "--period", "2026", "--csv", str(table), "--html", str(page))
    assert found["totals"]["EUR"] | {"losers": 1} == {
        "before": "2.00", "after": "20.00", "change": "18.00", "winners": 0, "losers": 1, "same": 0,
    }  # fmt: skip
    assert found["periods"] == {"2026-10": {"from": "charges", "charges": 1}}
    assert table.read_text() == "customer,currency,before,after,change\nacme,EUR,2.00,20.00,18.00\n"
    assert "acme" in page.read_text()
    draft.write_text("plans: [{name: standard, currency: EUR, prices: [{product: X}]}]")
    wrong = site.run("what-if", str(draft), "--period", "2026-10")
    assert wrong.status == 2
    assert site.asked("close", "2026-10")["manifest"] == closed["manifest"]
    assert site.asked("verify")["ok"]
    assert site.stop() == 0
