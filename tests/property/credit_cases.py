"""Strategies for credit: pools in the form of the cases, with grants that begin, end, refill and roll over."""

from typing import Any

from hypothesis import strategies as st

Case = dict[str, Any]

INSTANTS = [f"2024-01-0{day}T{hour}:00:00Z" for day in range(1, 8) for hour in ("00", "07", "12")]
START, UNTIL = INSTANTS[3], INSTANTS[-4]
PRODUCTS = ["charge", "subscription", "m1"]
ORDERS = [
    "priority asc",
    "priority asc (none last)",
    "expires_at asc (none last)",
    "created_at asc",
    "amount desc",
    "kind granted<purchased",
    "id",
    "given",
]

amounts = st.one_of(
    st.integers(0, 30).map(str),
    st.integers(0, 3000).map(lambda cents: f"{cents // 100}.{cents % 100:02}"),
    st.sampled_from(["0", "0.000000000001", "1000000000000000", "999999999999999.999999999999"]),
)
orders = st.lists(st.sampled_from(ORDERS), max_size=4, unique=True)


def _listed(entry: st.SearchStrategy[Case], most: int) -> st.SearchStrategy[list[Case]]:
    return st.lists(entry, max_size=most)


def _with_ids(credits_: list[Case]) -> list[Case]:
    """Ids in an order of their own, so that sorting by them moves something."""
    return [{**credit, "id": f"g{(row * 7 + 3) % 10}"} for row, credit in enumerate(credits_)]


def _without_nothing(entry: Case) -> Case:
    return {name: value for name, value in entry.items() if value is not None}


_ranks: dict[str, st.SearchStrategy[Any]] = {
    "priority": st.sampled_from([None, "1", "2", "10"]),
    "created_at": st.sampled_from([None, *INSTANTS[:3]]),
    "kind": st.sampled_from([None, "granted", "purchased", "promotional"]),
}


@st.composite
def settled(draw: st.DrawFn) -> Case:
    """Usage and credits without a clock: scopes, wallets that are named, refunds, and every rule for what is left."""
    kind = draw(st.sampled_from(["scoped", "named", "refunded", "as_of"]))
    credit: dict[str, st.SearchStrategy[Any]] = {
        "amount": amounts,
        "expires_at": st.sampled_from([None, *INSTANTS[:6]]),
        "effective_at": st.sampled_from([None, *INSTANTS[:3]]),
        "allow_negative": st.sampled_from([None, None, True]),
        "threshold_rule": st.sampled_from([None, None, None, True]),
        "maximum": st.one_of(st.none(), amounts),
        "conversion_rate": st.sampled_from([None, "0.5", "3", "0.001"]),
        **_ranks,
    }
    usage: dict[str, st.SearchStrategy[Any]] = {"amount": amounts}
    price: Case = {"order": draw(orders)}
    price |= draw(
        st.sampled_from([{}, *({"insufficient": rule} for rule in ("error", "overdraft", "allow_negative"))])
        | st.sampled_from([{"overflow": "last_wallet_negative"}, {"overflow": "uncovered"}])
    )
    if kind == "refunded":
        price = {"order": price["order"]} if price.get("insufficient") == "overdraft" else price
        usage["amount"] = st.one_of(amounts, amounts.map(lambda amount: f"-{amount}"))
        credit["amount"] = st.one_of(amounts, amounts.map(lambda amount: f"-{amount}"))
    if kind == "scoped":
        credit["targets"] = st.one_of(st.none(), st.lists(st.sampled_from(PRODUCTS), min_size=1, max_size=2))
        usage |= {name: st.sampled_from([None, *PRODUCTS]) for name in ("target", "metric")}
    if kind == "as_of":
        price["as_of"] = draw(st.sampled_from(INSTANTS[:6]))
    if draw(st.booleans()):
        price["rounding"] = {"scale": draw(st.sampled_from(["0", "2"])), "mode": "half_up"}
    credits_ = _with_ids([_without_nothing(one) for one in draw(_listed(st.fixed_dictionaries(credit), 5))])
    if kind == "named":
        usage["wallet"] = st.sampled_from([None, *(one["id"] for one in credits_)])
    used = [_without_nothing(one) for one in draw(_listed(st.fixed_dictionaries(usage), 6))]
    return _case(price, used, credits_)


@st.composite
def clocked(draw: st.DrawFn) -> Case:
    """Grants by the clock: begun before or during, expired, voided, refilled and reset while usage goes on."""
    interval = st.sampled_from(["P1D", "P2D", "PT7H", "P1M", "P1Y", "P1W"])
    credit = {
        "amount": amounts,
        "effective_at": st.sampled_from(INSTANTS),
        "expires_at": st.sampled_from([None, *INSTANTS]),
        "voided_at": st.sampled_from([None, None, *INSTANTS]),
        "starting_balance": st.one_of(st.none(), amounts),
        "min_rollover": st.one_of(st.none(), amounts),
        "max_rollover": st.one_of(st.none(), amounts),
        "recurrence": st.one_of(
            st.none(), st.fixed_dictionaries({"interval": interval, "anchor": st.sampled_from(INSTANTS)})
        ),
        **_ranks,
    }
    credits_ = _with_ids([_without_nothing(one) for one in draw(_listed(st.fixed_dictionaries(credit), 4))])
    used = draw(_listed(st.fixed_dictionaries({"amount": amounts, "at": st.sampled_from(INSTANTS)}), 8))
    if credits_:
        void = {"amount": "0", "kind": "void_grant", "at": draw(st.sampled_from(INSTANTS)), "grant": credits_[0]["id"]}
        used = [*used, *draw(st.sampled_from([[], [void]]))]
    price = {
        "order": draw(orders),
        "overage": draw(st.sampled_from(["carried: and burnt by later grants", "not carried"])),
        "start_at": START,
        "until": UNTIL,
        "resets": draw(st.lists(st.sampled_from(INSTANTS), max_size=3, unique=True)),
        "reset_preserves_overage": draw(st.booleans()),
        "starting_overage": draw(st.one_of(st.none(), amounts)),
    }
    return _case(_without_nothing(price), used, credits_)


@st.composite
def called(draw: st.DrawFn) -> Case:
    """Calls in seconds, against balances of seconds by increments and balances of money at a rate."""
    seconds = {
        "amount": st.integers(0, 200).map(str),
        "unit": st.just("seconds"),
        "increment": st.sampled_from(["1", "10", "60", "0.5"]),
        "weight": st.sampled_from(["0", "5", "10"]),
        "also_charges_money": st.sampled_from([None, True]),
    }
    money = {"amount": amounts, "unit": st.just("money"), "weight": st.sampled_from(["0", "5", "10"])}
    credit = st.one_of(st.fixed_dictionaries(seconds), st.fixed_dictionaries(money))
    credits_ = _with_ids([_without_nothing(one) for one in draw(_listed(credit, 5))])
    call = st.fixed_dictionaries({"amount": st.integers(0, 150).map(str), "unit": st.just("seconds")})
    price = {
        "order": ["weight desc"],
        "money_rate_per_second": draw(st.sampled_from(["1", "2", "0.35", "0"])),
        "money_increment": draw(st.sampled_from([None, "1", "6", "0.25"])),
    }
    return _case(_without_nothing(price), draw(_listed(call, 4)), credits_)


@st.composite
def allowed(draw: st.DrawFn) -> Case:
    """A recurring allowance, whose rest rolls over when it is granted anew."""
    price = {
        "recurring_allowance": draw(amounts),
        "rollover_max": draw(st.one_of(st.none(), amounts)),
        "rollover_burns_first": draw(st.sampled_from([None, True, False])),
        "start_at": INSTANTS[0],
        "until": INSTANTS[-1],
        "resets": draw(st.lists(st.sampled_from(INSTANTS[1:]), max_size=3, unique=True)),
    }
    if price["rollover_burns_first"] is None:
        del price["rollover_burns_first"]
    used = draw(_listed(st.fixed_dictionaries({"amount": amounts, "at": st.sampled_from(INSTANTS[:-1])}), 8))
    return _case(price, used, _with_ids(draw(_listed(st.fixed_dictionaries({"amount": amounts}), 2))))


def _case(price: Case, usage: list[Case], credits_: list[Case]) -> Case:
    return {"model": "credit_burndown", "currency": "USD", "price": price, "usage": usage, "credits": credits_}
