"""Price usage bucket by bucket: each alone, with tiers, free units and conversion that begin anew in it."""

from typing import Final

import numpy as np

from rating.exact import Int64s
from rating.gathered import Gathered
from rating.pricing.parts import Bucketed
from rating.pricing.rate import rate
from rating.pricing.shapes import PriceList, Shape, stretches
from rating.pricing.usage import Ragged, Usage, chosen
from rating.ratios import Ratios

INSIDE: Final = "charge.price."
"""What the numbers of a bucket's price are named by in the price around it."""


def bucket_fees(prices: PriceList, of_line: Int64s, buckets: Ragged) -> Ratios:
    """What each bucket costs; nothing where the line's price has none."""
    fees = Gathered(int(buckets.start[-1]))
    for lines, terms in stretches(prices, of_line):
        if isinstance(terms.price.charge, Bucketed):
            rows, own = chosen(buckets, lines)
            fees.put(rows, rate(_inside(terms.shape), terms.row[own.line], Usage(own.quantity)).amount)
    return fees.column()


def _inside(shape: Shape) -> PriceList:
    """The prices of the buckets, one for each of the shape."""
    charge = shape.example.charge
    assert isinstance(charge, Bucketed)
    if "buckets" not in shape.tables:
        numbers = {name.removeprefix(INSIDE): one for name, one in shape.numbers.items() if name.startswith(INSIDE)}
        every = np.arange(shape.prices)
        shape.tables["buckets"] = PriceList(
            (Shape(charge.price, shape.prices, numbers, {}),), np.zeros_like(every), every
        )
    found: PriceList = shape.tables["buckets"]
    return found
