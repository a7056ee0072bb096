"""Random prices in the form of the given cases, and lines around their edges."""

from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.reference.rating import BY_EVENT

Parameters = dict[str, Any]


class Line(NamedTuple):
    """One line of a batch: its price's place, its quantities, and where it stands in its period."""

    price: int
    quantities: list[str]
    split: Parameters | None
    billed: str | None


def decimals(most: int, places: int) -> st.SearchStrategy[str]:
    """Plain decimals from zero to `most`."""
    return st.decimals(0, most, places=places).map(lambda number: f"{number:f}")


prices = st.one_of(
    decimals(10, 4), decimals(10, 4), decimals(1, 12), st.integers(0, 10**6).map(str), st.sampled_from(["0", "0.01"])
)
quantities = st.one_of(
    st.integers(0, 40).map(str),
    decimals(50, 3),
    decimals(10**6, 9),
    st.sampled_from(["0", "0.000000001", "1000000000000000", "999999999999999.999999999"]),
)
bounds = st.one_of(st.integers(1, 40), st.integers(1, 10**15))
roundings = st.fixed_dictionaries(
    {
        "scale": st.sampled_from(["0", "2", "3", "4", "-1"]),
        "mode": st.sampled_from(["half_up", "up", "down"]),
        "when": st.sampled_from(["line", "total"]),
    }
)


def tiers(own: st.SearchStrategy[Parameters], *, bounded: bool) -> st.SearchStrategy[Parameters]:
    """Ascending tiers, each with keys of its `own`."""

    def built(drawn: tuple[list[int], list[Parameters], bool]) -> Parameters:
        uppers, parts, is_open = drawn
        tops = [str(upper) for upper in sorted(set(uppers))]
        if is_open or not tops:
            tops = [*tops, None]  # type: ignore[list-item]  # the last bound is none
        return {"tiers": [{**part, "up_to": top} for part, top in zip(parts, tops, strict=False)]}

    is_open = st.booleans() if bounded else st.just(True)
    drawn = st.tuples(st.lists(bounds, max_size=4), st.lists(own, min_size=5, max_size=5), is_open)
    return drawn.map(built)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Parameters]:
    """Some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def joined(*parts: st.SearchStrategy[Parameters]) -> st.SearchStrategy[Parameters]:
    """All parts in one."""
    return st.tuples(*parts).map(lambda drawn: {name: value for part in drawn for name, value in part.items()})


unit_tier = joined(
    st.one_of(
        st.fixed_dictionaries({"unit_price": prices}),
        st.fixed_dictionaries({"unit_price": prices}),
        st.fixed_dictionaries({"package_price": prices, "package_size": st.integers(1, 20).map(str)}),
        st.just({}),
    ),
    optional(flat_fee=prices, cap=prices),
)
plain_tier = joined(st.fixed_dictionaries({"unit_price": prices}), optional(flat_fee=prices))
percent_tier = joined(st.fixed_dictionaries({"rate_percent": prices}), optional(flat_fee=prices))
step = st.fixed_dictionaries({"flat_price": prices})
zero_rule = optional(zero_quantity_bills_first_flat=st.booleans())


def priced(model: str, *parts: st.SearchStrategy[Parameters]) -> st.SearchStrategy[Parameters]:
    """A price of this model."""
    return joined(st.just({"model": model}), *parts)


percentages = priced(
    "percentage",
    st.fixed_dictionaries({"rate_percent": prices}),
    optional(
        fixed_fee_per_event=prices,
        free_events=st.integers(0, 3).map(str),
        free_amount=quantities,
        min_per_event=prices,
        max_per_event=prices,
        fixed_on_zero_units=st.booleans(),
    ),
)


def _slots(drawn: tuple[set[int], list[Parameters]]) -> Parameters:
    """The first begins with the call."""
    starts, parts = drawn
    return {"slots": [{**part, "start": str(start)} for start, part in zip([0, *sorted(starts)], parts, strict=False)]}


slot = st.fixed_dictionaries(
    {
        "rate": prices,
        "rate_unit": st.sampled_from(["1", "60", "3600", "0.7"]),
        "increment": st.sampled_from(["1", "6", "30", "60", "0.5", "0.7"]),
    }
)
calls = priced(
    "time_rated",
    st.tuples(st.sets(st.integers(1, 90), max_size=2), st.lists(slot, min_size=3, max_size=3)).map(_slots),
    optional(
        connect_fee=prices,
        increment_rounding=st.fixed_dictionaries(
            {"scale": st.sampled_from(["0", "2", "6"]), "mode": st.sampled_from(["half_up", "up", "down"])}
        ),
    ),
    st.just({}) | st.fixed_dictionaries({"max_cost": prices, "max_cost_strategy": st.just("free")}),
)


def blocks(*, bounded: bool) -> st.SearchStrategy[Parameters]:
    """Tiers of blocks, the last of them open unless they may be `bounded`."""

    def built(drawn: tuple[list[Parameters], bool]) -> Parameters:
        listed, is_open = drawn
        return {"tiers": [*listed[:-1], {**listed[-1], "max_blocks": "-1"}] if is_open else listed}

    tier = st.fixed_dictionaries(
        {
            "block_size": st.sampled_from(["1", "2.5", "10", "0.7"]),
            "max_blocks": st.integers(1, 12).map(str),
            "price": prices,
        }
    )
    drawn = st.tuples(st.lists(tier, min_size=1, max_size=3), st.booleans() if bounded else st.just(True))
    mode = st.fixed_dictionaries({"mode": st.sampled_from(["ALL_TIERS", "TOP_TIER"])})
    return priced("tiered_blocks", drawn.map(built), mode)


charges = st.one_of(
    priced("flat", st.fixed_dictionaries({"amount": prices}), optional(payment_term=st.just("in_advance"))),
    priced("per_unit", st.fixed_dictionaries({"unit_price": prices})),
    priced(
        "package",
        st.fixed_dictionaries({"package_price": prices, "package_size": st.integers(1, 30).map(str)}),
        optional(rounding_packages=st.sampled_from(["up", "down"])),
    ),
    priced("dynamic", st.fixed_dictionaries({"multiplier": prices})),
    priced("graduated", tiers(plain_tier, bounded=False), zero_rule),
    priced("graduated", tiers(unit_tier, bounded=True), zero_rule),
    priced("graduated_percentage", tiers(percent_tier, bounded=True), zero_rule),
    priced("volume", tiers(plain_tier, bounded=False), zero_rule),
    priced("volume", tiers(unit_tier, bounded=True), zero_rule),
    priced("stairstep", tiers(step, bounded=True)),
    percentages,
)
conversions = st.one_of(
    st.fixed_dictionaries(
        {
            "operation": st.sampled_from(["divide", "multiply"]),
            "factor": st.sampled_from(["1000", "1024", "60", "1.2", "7"]),
            "rounding": st.sampled_from(["none", "ceiling", "floor", "half_up"]),
        }
    ),
    st.fixed_dictionaries({"operation": st.just("round_up_to_multiple"), "factor": st.sampled_from(["60", "0.5"])}),
)
around = optional(
    unit_conversion=conversions,
    usage_discount=st.one_of(quantities, st.just("unlimited")),
    negative=st.sampled_from(["mirror", "clamp_zero"]),
    rounding=roundings,
    discount_percent=st.sampled_from(["50", "12.5", "100"]),
    maximum=prices,
    minimum=prices,
)
any_charge = st.one_of(charges, charges, charges, calls, blocks(bounded=True))
some_prices = st.lists(st.one_of(any_charge, joined(any_charge, around)), min_size=1, max_size=4)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Parameters], list[Line]]:
    """Prices, and lines at and around the edges of each."""
    drawn = draw(some_prices)
    return drawn, [draw(_line(drawn, draw(st.integers(0, len(drawn) - 1)))) for _ in range(draw(st.integers(1, 8)))]


@st.composite
def _line(draw: st.DrawFn, drawn: list[Parameters], price: int) -> Line:
    edges = [tier["up_to"] for tier in drawn[price].get("tiers", []) if tier.get("up_to") is not None]
    edges += [one["start"] for one in drawn[price].get("slots", [])]
    near = st.one_of(quantities, st.sampled_from(edges)) if edges else quantities
    sign = st.sampled_from(["", "", "", "-"])
    signed = st.tuples(sign, near).map(lambda pair: pair[1] if pair[1].strip("0.") == "" else "".join(pair))
    position = st.sampled_from(["single", "first", "mid", "last"])
    split = st.none() | st.fixed_dictionaries({"position": position, "quantity_before": near})
    many = drawn[price]["model"] in BY_EVENT
    return Line(
        price,
        draw(st.lists(signed, min_size=0 if many else 1, max_size=5 if many else 1)),
        draw(split),
        draw(st.none() | prices),
    )
