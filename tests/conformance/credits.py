"""Maps cases onto credits of ours."""

from tests.conformance.figures import Calculation

MODELS: dict[str, Calculation] = {}
