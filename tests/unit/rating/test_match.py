"""When a price holds is the same for a row alone and for one among many; names are found by their dictionary too."""

from itertools import product

import numpy as np
import pyarrow as pa

from rating.match import named, price_span
from tests.unit.rating.world import book_of

CATALOG = """
meters: [{name: gb_out, event_type: egress, aggregation: sum, value: gb}]
plans:
  - name: standard
    currency: EUR
    prices:
      - {product: Egress, meter: gb_out, model: per_unit, unit_price: "0.05"}
      - {product: Egress, meter: gb_out, model: per_unit, unit_price: "0.04", from: 2026-11-10}
customers: [{id: acme, name: Acme, subjects: [acme-prod]}]
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-01-01, end: 2026-06-01, timezone: Europe/Berlin}
  - {id: C-2, customer: acme, plan: standard, entity: DE01, start: 2026-06-01, timezone: America/New_York}
"""


def test_a_price_holds_in_the_zone_of_its_contract_however_many_are_asked_for() -> None:
    book = book_of(CATALOG)
    pairs = list(product(range(2), range(2)))
    alone = [[int(each[0]) for each in price_span(book, *(np.array([one]) for one in pair))] for pair in pairs]
    many = price_span(book, *np.array(pairs * 20).T)
    assert np.stack(many, axis=1).tolist() == alone * 20
    assert len({tuple(span) for span in alone}) == len(pairs)


def test_names_are_found_whether_or_not_they_are_encoded() -> None:
    column, among = pa.array(["b", "nobody", "a", "b"]), pa.array(["a", "b", "c"])
    assert named(column, among).tolist() == named(column.dictionary_encode(), among).tolist() == [1, -1, 0, 1]
