"""Every operation there is; importing this registers them."""

from meterline.operations import billing, catalog, evidence, keys, proof
from meterline.operations.registry import Outcome, Output, RequestError, run

__all__ = ["Outcome", "Output", "RequestError", "billing", "catalog", "evidence", "keys", "proof", "run"]
