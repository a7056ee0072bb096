"""The baseline of `bench.rate`: one line after the other in plain Decimals, as billing code is commonly written.

Each function answers the exact amount; it is rounded by its caller, since a line keeps both.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

ZERO, CENT, HUNDRED = Decimal(0), Decimal("0.01"), Decimal(100)

WEEKS = ((1, Decimal(1)), (1, Decimal("0.75")), (-1, Decimal("0.5")), (1, Decimal("0.25")))
"""Whether units come or go at the beginning of each week, and how much of the period is left then."""

Row = tuple[Decimal | None, Decimal]
"""A tier: its inclusive bound and its unit price, or its rate as a part of one."""
BlockRow = tuple[Decimal, Decimal | None, Decimal]
"""A tier of blocks: their size, how many it holds, and what one costs."""
TimeRow = tuple[Decimal, Decimal | None, Decimal, Decimal]
"""A rate of time: from when until when, its increment, and what that costs."""
PackageRow = tuple[Decimal | None, Decimal, Decimal, Decimal, Decimal]
"""A tier of packages: its inclusive bound, their size, what one costs, what all cost at most, and the tier's fee."""
Parameters = Any
Loop = Callable[[Parameters, Sequence[Decimal]], Decimal]


def flat(amount: Decimal, _: Sequence[Decimal]) -> Decimal:
    """One amount."""
    return amount


def per_unit(price: Decimal, line: Sequence[Decimal]) -> Decimal:
    """Quantity times price."""
    return line[0] * price


def graduated(tiers: Sequence[Row], line: Sequence[Decimal]) -> Decimal:
    """Each tier prices its part."""
    return unrounded(tiers, line[0])


def unrounded(tiers: Sequence[Row], quantity: Decimal) -> Decimal:
    """The same, exact."""
    amount, lower = ZERO, ZERO
    for upper, price in tiers:
        top = quantity if upper is None else min(quantity, upper)
        if top <= lower:
            break
        amount += (top - lower) * price
        lower = top
    return amount


def volume(tiers: Sequence[Row], line: Sequence[Decimal]) -> Decimal:
    """The tier reached prices all."""
    return line[0] * reached(tiers, line[0])


def stairstep(tiers: Sequence[Row], line: Sequence[Decimal]) -> Decimal:
    """The tier reached is the price; no usage reaches none."""
    return (reached(tiers, line[0])) if line[0] else ZERO


def package(price: tuple[Decimal, Decimal, Decimal], line: Sequence[Decimal]) -> Decimal:
    """Started packages after the free units."""
    size, package_price, free = price
    return (max(line[0] - free, ZERO) / size).to_integral_value(ROUND_CEILING) * package_price


def converted(price: tuple[Decimal, Decimal, Decimal], line: Sequence[Decimal]) -> Decimal:
    """Larger units, in started multiples."""
    size, multiple, unit_price = price
    return (line[0] / size / multiple).to_integral_value(ROUND_CEILING) * multiple * unit_price


def weighted(price: tuple[Decimal, Sequence[Decimal]], line: Sequence[Decimal]) -> Decimal:
    """What several meters add up to by weight."""
    unit_price, weights = price
    return sum((quantity * weight for quantity, weight in zip(line, weights, strict=True)), ZERO) * unit_price


def graduated_packages(tiers: Sequence[PackageRow], line: Sequence[Decimal]) -> Decimal:
    """Each tier's started packages, at most so much, and its fee."""
    amount, lower = ZERO, ZERO
    for upper, size, price, most, fee in tiers:
        top = line[0] if upper is None else min(line[0], upper)
        if top <= lower:
            break
        amount += min(((top - lower) / size).to_integral_value(ROUND_CEILING) * price, most) + fee
        lower = top
    return amount


def volume_packages(tiers: Sequence[PackageRow], line: Sequence[Decimal]) -> Decimal:
    """All started packages of the tier reached, at most so much, and its fee."""
    for upper, size, price, most, fee in tiers:
        if line[0] and (upper is None or line[0] <= upper):
            return min((line[0] / size).to_integral_value(ROUND_CEILING) * price, most) + fee
    return ZERO


def rounded_tiers(tiers: Sequence[Row], line: Sequence[Decimal]) -> Decimal:
    """Each tier prices its part, and each part is rounded."""
    amount, lower = ZERO, ZERO
    for upper, price in tiers:
        top = line[0] if upper is None else min(line[0], upper)
        if top <= lower:
            break
        amount += rounded((top - lower) * price)
        lower = top
    return amount


def blocks(tiers: Sequence[BlockRow], line: Sequence[Decimal]) -> Decimal:
    """Each tier's started blocks, as many as it holds."""
    left, amount = line[0], ZERO
    for size, most, price in tiers:
        if left <= 0:
            break
        count = (left / size).to_integral_value(ROUND_CEILING)
        taken = count if most is None else min(count, most)
        amount += taken * price
        left -= taken * size
    return amount


def blocks_of_top_tier(tiers: Sequence[BlockRow], line: Sequence[Decimal]) -> Decimal:
    """The started blocks of the last tier that takes any, for all units."""
    left, amount = line[0], ZERO
    for size, most, price in tiers:
        if left <= 0:
            break
        amount = (line[0] / size).to_integral_value(ROUND_CEILING) * price
        count = (left / size).to_integral_value(ROUND_CEILING)
        left -= (count if most is None else min(count, most)) * size
    return amount


def percentage(price: tuple[Decimal, Decimal, Decimal], line: Sequence[Decimal]) -> Decimal:
    """A rate and a fee for each event, after the free amount."""
    rate, fee, free = price
    amount = ZERO
    for units in line:
        paid = max(units - free, ZERO)
        free = max(free - units, ZERO)
        if paid > 0:
            amount += paid * rate + fee
    return amount


def bounded_events(price: tuple[Decimal, Decimal, int, Decimal, Decimal], line: Sequence[Decimal]) -> Decimal:
    """A rate and a fee for each event after the free ones, between a least and a most."""
    rate, fee, free, least, most = price
    amount = ZERO
    for units in line[free:]:
        if units > 0:
            amount += min(max(units * rate + fee, least), most)
    return amount


def duration(price: tuple[Decimal, Sequence[TimeRow]], line: Sequence[Decimal]) -> Decimal:
    """A fee for each call that took any time, and whole increments at every rate."""
    connect_fee, rates = price
    amount = ZERO
    for time in line:
        amount += connect_fee if time > 0 else ZERO
        paid_until = ZERO
        for start, next_start, increment, each in rates:
            begin = max(start, paid_until)
            end = time if next_start is None else min(time, next_start)
            if end > begin:
                increments = ((end - begin) / increment).to_integral_value(ROUND_CEILING)
                amount += increments * each
                paid_until = begin + increments * increment
    return amount


def matrix(cells: Sequence[Decimal], line: Sequence[Decimal]) -> Decimal:
    """Each key's quantity at its own price."""
    return sum((quantity * price for quantity, price in zip(line, cells, strict=True)), ZERO)


def capacity(tiers: Sequence[Row], line: Sequence[Decimal]) -> Decimal:
    """The price of the first tier that no meter's highest value exceeds."""
    for limit, price in tiers:
        if limit is None or all(highest <= limit for highest in line):
            return price
    raise ValueError(line)


def bucketed(tiers: Sequence[Row], line: Sequence[Decimal]) -> Decimal:
    """Each bucket alone."""
    return sum((rounded(volume(tiers, (quantity,))) for quantity in line), ZERO)


def bounded(price: tuple[Decimal, Decimal, Decimal, Decimal], line: Sequence[Decimal]) -> Decimal:
    """Per unit with a discount, and between a least and a most."""
    unit_price, percent, most, least = price
    amount = line[0] * unit_price
    amount -= amount * percent / HUNDRED
    return max(min(amount, most), least)


def less(price: tuple[Decimal, Decimal, Decimal], line: Sequence[Decimal]) -> Decimal:
    """Per unit, less an amount, and less a part of what that leaves."""
    unit_price, off, percent = price
    amount = line[0] * unit_price
    amount -= min(off, amount)
    return amount - amount * percent / HUNDRED


def in_advance(tiers: Sequence[Row], line: Sequence[Decimal]) -> Decimal:
    """What each event adds to the price of all so far, summed."""
    level = billed = total = ZERO
    for units in line:
        level += units
        amount = rounded(graduated(tiers, (level,)))
        total += max(amount - billed, ZERO)
        billed = amount
    return total


def above_highest(tiers: Sequence[Row], line: Sequence[Decimal]) -> Decimal:
    """The same where only units above the highest level so far are new; every second event gives back."""
    level = highest = billed = total = ZERO
    for place, units in enumerate(line):
        level += -units if place % 2 else units
        highest = max(highest, level)
        amount = rounded(graduated(tiers, (highest,)))
        total += max(amount - billed, ZERO)
        billed = amount
    return total


def split(tiers: Sequence[Row], line: Sequence[Decimal]) -> Decimal:
    """Units after those that the period's earlier lines had."""
    before, units = line
    return unrounded(tiers, before + units) - unrounded(tiers, before)


def share_of_fee(price: tuple[Decimal, Decimal], line: Sequence[Decimal]) -> Decimal:
    """A fee for some of the period's days."""
    fee, days = price
    return fee * line[0] / days


def change_of_fee(price: tuple[Decimal, Decimal, Decimal], line: Sequence[Decimal]) -> Decimal:
    """Another fee for the rest of the period's days: each rounded alone."""
    old, new, days = price
    return rounded(new * line[0] / days) - rounded(old * line[0] / days)


def rerated(tiers: Sequence[Row], line: Sequence[Decimal]) -> Decimal:
    """What the second of two totals costs more than the first."""
    return unrounded(tiers, line[1]) - unrounded(tiers, line[0])


def prorated(price: tuple[Sequence[Row], Sequence[Row]], line: Sequence[Decimal]) -> Decimal:
    """Each week's units in the tiers that they reach, for what is left of the period, and the fees of all reached."""
    tiers, fees = price
    amount = level = highest = cost = lower = ZERO
    for (direction, share), units in zip(WEEKS, line, strict=True):
        level += direction * units
        highest = max(highest, level)
        before, cost = cost, unrounded(tiers, level)
        amount += (cost - before) * share
    for upper, fee in fees:
        if highest <= lower:
            break
        amount += fee
        lower = highest if upper is None else upper
    return max(amount, ZERO)


def reached(tiers: Sequence[Row], quantity: Decimal) -> Decimal:
    """The price of the tier whose bound holds the quantity."""
    for upper, price in tiers:
        if upper is None or quantity <= upper:
            return price
    raise ValueError(quantity)


def rounded(amount: Decimal) -> Decimal:
    """To a cent, halves away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)
