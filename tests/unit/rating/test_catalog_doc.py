"""What docs/catalog.md shows is taken as it is written, on top of a plain catalog."""

import re
import textwrap
from pathlib import Path

import pytest

from tests.unit.rating.world import applied, store

EXAMPLES = re.findall(r"```yaml\n(.*?)```", (Path(__file__).parents[3] / "docs" / "catalog.md").read_text(), re.DOTALL)
PLAIN = """
meters:
  - {name: kwh, event_type: charged, aggregation: sum, value: kwh}
  - {name: frames, event_type: rendered, aggregation: count}
  - {name: seats, event_type: seated, aggregation: sum, value: seats}
  - {name: gb_stored, event_type: stored, aggregation: sum, value: gb}
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb}
plans:
  - {name: standard, currency: EUR, prices: [{product: Egress, meter: gb_out, model: per_unit, unit_price: 1}]}
customers: [{id: acme, subjects: [acme-prod]}]
"""


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_taken_as_it_is_written(example: str) -> None:
    own = textwrap.dedent(example)
    if own.startswith("- "):
        own = f"plans:\n  - name: standard\n    currency: EUR\n    prices:\n{textwrap.indent(own, ' ' * 6)}"
    relational = store()
    applied(relational, PLAIN)
    applied(relational, own)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5
