"""Maps cases onto time of ours."""

from tests.conformance.figures import Calculation

MODELS: dict[str, Calculation] = {}
