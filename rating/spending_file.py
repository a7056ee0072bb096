"""Read how a customer's credit is spent, as a catalog file writes it."""

from typing import cast

import yaml

from rating import catalog_fields as fields
from rating.credit_spending import DRAWN, KINDS, OVERAGES, SORTED_BY, USUAL, Drawn, Overage, Spending
from rating.credits.burn_order import KIND, SortKey, read_order
from rating.yaml_page import Fields, Page, Place


def spending(page: Page, node: yaml.Node | None, place: Place) -> Spending | None:
    """How a customer's credit is spent, as a file writes it; None without a node, and after a mistake."""
    if node is None:
        return None
    before = len(page.mistakes)
    found = Fields(page, node, place, ("order", "drawn", "overage"))
    order = found.scalars("order", _key) if "order" in found else USUAL
    drawn = found.scalar("drawn", lambda text: fields.one_of(text, DRAWN, " or ".join(DRAWN))) or DRAWN[0]
    overage = found.scalar("overage", lambda text: fields.one_of(text, OVERAGES, " or ".join(OVERAGES))) or OVERAGES[0]
    if len(page.mistakes) > before:
        return None
    if not order:
        found.mistake("order", "expected at least one key, as in `expires asc (none last)`; without `order`: the usual")
    names = [text.partition(" ")[0] for text in order]
    for nth, name in enumerate(names):
        if name in names[:nth]:
            found.mistake("order", f"{name} is in the list twice, and the first one decides: keep one")
    if len(page.mistakes) > before:
        return None
    return Spending(order, cast("Drawn", drawn), cast("Overage", overage))


def _key(text: str) -> str:
    """A sort key, always the same as the same text."""
    fields.one_of(text.partition(" ")[0], SORTED_BY, f"a key by {', '.join(SORTED_BY)}")
    (key,) = read_order([text], SORTED_BY)
    if key.ranked:
        _check_ranking(key)
        return f"{key.field} {'<'.join(key.ranked)}"
    if key.field == KIND:
        raise ValueError(f"expected the kinds in their order, as in `kind promotional<prepaid`, found {text!r}")
    return f"{key.field} {'desc' if key.is_descending else 'asc'}{' (none last)' if key.is_missing_last else ''}"


def _check_ranking(key: SortKey) -> None:
    if key.field != KIND:
        raise ValueError(f"only kinds can be listed: write `{key.field} asc` or `{key.field} desc`")
    for nth, kind in enumerate(key.ranked):
        fields.one_of(kind, KINDS, " or ".join(KINDS))
        if kind in key.ranked[:nth]:
            raise ValueError(f"{kind} is in the list twice: keep one")
