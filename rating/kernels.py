"""Price whole columns of lines: what each quantity costs, and that amount rounded once.

A price is a line of straight pieces through zero: the first tier's price, and from each bound on the difference to
the next tier's. Bounds are inclusive, a quantity between two whole ones is priced like any other, and a negative
total (corrections larger than the usage) is priced at the first tier. Per unit is the case of one tier.

Lines whose whole calculation is proven to fit int64 are priced there; the others, seldom any, with Python's integers.
The formula is the same for both.
"""

from typing import NamedTuple

import numpy as np

from ledger.scale import QUANTITY_SCALE
from rating.exact import NARROW_MAX, Exact, Int64s, largest, narrowed, rounded, shared_zeros, without_zeros

PRICE_SCALE = 12
"""Prices are integers of 10^-12 currency units."""
AMOUNT_SCALE = QUANTITY_SCALE + PRICE_SCALE
_DIVISOR_DIGITS_MAX = 18
STRETCH_LINES = 2**14
"""As many lines as keep every intermediate column in the cache: twice as fast as all lines at once."""


class Tiers(NamedTuple):
    """The tiers of many prices; those above the first are laid end to end."""

    first: Exact
    """Per price: what a unit of its first tier costs, scaled."""
    offset: Int64s
    """Per price: where its further tiers begin in `bound` and `change`; one more at the end."""
    bound: Exact
    """Per further tier: the scaled quantity after which it holds, ascending within a price."""
    change: Exact
    """Per further tier: what a unit costs more than in the tier before, scaled."""
    dearest: Exact
    """Per price: its highest unit price, scaled."""


class Priced(NamedTuple):
    """What lines cost."""

    unrounded: Exact
    """Exact amounts, in integers of 10^-scale currency units."""
    scale: int
    amount: Exact
    """Minor units, each line rounded once, half away from zero."""


def price_lines(quantity: Exact, price: Int64s, digits: Int64s, tiers: Tiers) -> Priced:
    """What `quantity` (scaled) costs at `price`, rounded to `digits` decimals, line for line."""
    quantity_zeros = min(shared_zeros(quantity, QUANTITY_SCALE), shared_zeros(tiers.bound, QUANTITY_SCALE))
    # Amounts keep at least the decimals they are rounded to, so that rounding only ever divides.
    price_zeros = min(
        shared_zeros(tiers.first, PRICE_SCALE - int(digits.max(initial=0))),
        shared_zeros(tiers.change, PRICE_SCALE),
    )
    quantity = without_zeros(quantity, quantity_zeros)
    tiers = Tiers(
        without_zeros(tiers.first, price_zeros),
        tiers.offset,
        without_zeros(tiers.bound, quantity_zeros),
        without_zeros(tiers.change, price_zeros),
        without_zeros(tiers.dearest, price_zeros),
    )
    scale = AMOUNT_SCALE - quantity_zeros - price_zeros
    cut = scale - digits
    if _all_fit(quantity, cut, tiers):
        return _priced(quantity, price, cut, tiers, scale)
    return _priced_apart(quantity, price, cut, tiers, scale)


def _all_fit(quantity: Exact, cut: Int64s, tiers: Tiers) -> bool:
    """Whether one bound over the whole batch proves that int64 holds every step of the calculation."""
    narrow = all(column.dtype == np.int64 for column in (quantity, tiers.first, tiers.bound, tiers.change))
    cuts_fit = int(cut.max(initial=0)) <= _DIVISOR_DIGITS_MAX
    costs_fit = largest(quantity) * max(largest(tiers.dearest), 1) <= NARROW_MAX
    return narrow and cuts_fit and costs_fit and largest(tiers.bound) <= NARROW_MAX


def _priced(quantity: Exact, price: Int64s, cut: Int64s, tiers: Tiers, scale: int) -> Priced:
    unrounded = _amounts(quantity, price, tiers)
    return Priced(unrounded, scale, rounded(unrounded, _powers(unrounded)[cut]))


def _powers(like: Exact) -> Exact:
    """Powers of ten of the same kind of integers as `like`."""
    digits_max = _DIVISOR_DIGITS_MAX if like.dtype == np.int64 else AMOUNT_SCALE
    return np.array([10**digits for digits in range(digits_max + 1)], dtype=like.dtype)


def _priced_apart(quantity: Exact, price: Int64s, cut: Int64s, tiers: Tiers, scale: int) -> Priced:
    """The lines that are proven to fit, in int64, and the rest with Python's integers."""
    tops = tiers.dearest.tolist()
    limit = np.array([NARROW_MAX // max(top, 1) if top <= NARROW_MAX else -1 for top in tops], dtype=np.int64)
    fits = (quantity <= limit[price]) & (quantity >= -limit[price]) & (cut <= _DIVISOR_DIGITS_MAX)
    narrow, wide = np.flatnonzero(fits.astype(np.bool_)), np.flatnonzero(~fits.astype(np.bool_))
    # A bound beyond the limit is beyond every quantity here, and stays so when it is clipped.
    clipped = Tiers(
        _clipped(tiers.first), tiers.offset, _clipped(tiers.bound), _clipped(tiers.change), _clipped(tiers.dearest)
    )
    unrounded = np.zeros(len(quantity), dtype=np.object_)
    amount = np.zeros(len(quantity), dtype=np.object_)
    in_int64 = _priced(quantity[narrow].astype(np.int64), price[narrow], cut[narrow], clipped, scale)
    whole = Tiers(_wide(tiers.first), tiers.offset, _wide(tiers.bound), _wide(tiers.change), _wide(tiers.dearest))
    in_python = _priced(_wide(quantity[wide]), price[wide], cut[wide], whole, scale)
    for lines, part in ((narrow, in_int64), (wide, in_python)):
        unrounded[lines] = _wide(part.unrounded)
        amount[lines] = _wide(part.amount)
    return Priced(narrowed(unrounded), scale, narrowed(amount))


def _clipped(column: Exact) -> Int64s:
    return np.clip(column, -NARROW_MAX, NARROW_MAX).astype(np.int64)


def _wide(column: Exact) -> Exact:
    return column.astype(np.object_)


def _amounts(quantity: Exact, price: Int64s, tiers: Tiers) -> Exact:
    """The exact amounts, calculated in stretches of lines."""
    amounts: Exact = np.empty_like(quantity)
    for start in range(0, len(price), STRETCH_LINES):
        stretch = slice(start, start + STRETCH_LINES)
        amounts[stretch] = _stretch_amounts(quantity[stretch], price[stretch], tiers)
    return amounts


def _stretch_amounts(quantity: Exact, price: Int64s, tiers: Tiers) -> Exact:
    """The exact amounts; every intermediate result is the amount under a cheaper or shorter list of tiers."""
    amounts: Exact = quantity * tiers.first[price]
    line, tier, last = np.arange(len(price)), tiers.offset[price], tiers.offset[price + 1]
    while len(line):
        has_bound = np.flatnonzero(tier < last)
        line, tier, last = line[has_bound], tier[has_bound], last[has_bound]
        past = quantity[line] - tiers.bound[tier]
        # Bounds ascend: a line that is not past this one is past none of the next.
        beyond = np.flatnonzero(past > 0)
        line, tier, last = line[beyond], tier[beyond], last[beyond]
        amounts[line] += past[beyond] * tiers.change[tier]
        tier = tier + 1
    return amounts
