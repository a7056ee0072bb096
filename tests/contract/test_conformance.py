"""Every case from another engine comes out as it does there, but for what is refused on purpose."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.__main__ import failure
from tests.reference import check

CASES = Path(__file__).parents[1] / "conformance" / "cases.jsonl"
ALL = [json.loads(line) for line in CASES.read_text().splitlines()]
REFUSED = {"flexprice-doc-sum-multiplier": "an id is counted once for ever; a correction says what it replaces"}


@pytest.mark.parametrize("case", ALL, ids=[case["id"] for case in ALL])
def test_a_case_comes_out_as_its_source_says(case: dict[str, Any]) -> None:
    reason = REFUSED.get(case["id"])
    assert failure(case) == (None if reason is None else f"refused on purpose: {reason}")


@pytest.mark.parametrize("case", ALL, ids=[case["id"] for case in ALL])
def test_the_reference_agrees_with_every_source(case: dict[str, Any]) -> None:
    assert check.failure(case) is None
