"""Maps cases onto invoices of ours."""

from tests.conformance.figures import Calculation

MODELS: dict[str, Calculation] = {}
