"""Every operation there is; importing this registers them."""

from meterline.operations import billing, catalog, drafts, evidence, explain, granting, keys, proof, what_if
from meterline.operations.registry import RequestError, run

__all__ = [
    "RequestError",
    "billing",
    "catalog",
    "drafts",
    "evidence",
    "explain",
    "granting",
    "keys",
    "proof",
    "run",
    "what_if",
]
