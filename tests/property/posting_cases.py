"""Charges as rating may leave them, for the laws of posting."""

from hypothesis import strategies as st

from ledger.charges import KINDS
from tests.unit.posting.charging import Charge

NAMES = ["acme", "bolt", "c.d"]
PRODUCT = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=12)
AMOUNT = st.one_of(st.integers(-(10**6), 10**6), st.integers(-(2**62), 2**62))
QUANTITY = st.decimals(-(10**15), 10**15, places=9, allow_nan=False).map(lambda quantity: f"{quantity:f}")

CHARGE = st.builds(
    Charge,
    customer=st.sampled_from(NAMES),
    entity=st.sampled_from(["DE01", "FR-1"]),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    contract=st.sampled_from(["C-1", "C-2"]),
    product=st.one_of(st.sampled_from(["API", "Egress"]), PRODUCT),
    amount=AMOUNT,
    quantity=QUANTITY,
    events=st.integers(0, 10**12),
    digest=st.binary(min_size=16, max_size=16),
    kind=st.sampled_from(KINDS),
)
CHARGES = st.lists(CHARGE, max_size=12)
