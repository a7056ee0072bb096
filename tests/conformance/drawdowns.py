"""Maps cases onto drawdowns of ours."""

from tests.conformance.figures import Calculation

MODELS: dict[str, Calculation] = {}
