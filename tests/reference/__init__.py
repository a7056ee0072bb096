"""A second opinion on every price: scalar, exact and slow, written apart from the engine that it checks.

`evaluate` takes a case in the form of the given cases and answers the keys of its `expected`.
"""

from tests.reference.evaluation import evaluate

__all__ = ["evaluate"]
