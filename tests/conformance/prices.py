"""Maps cases onto prices of ours."""

from tests.conformance.figures import Calculation

MODELS: dict[str, Calculation] = {}
