"""Alembic's entry: run the revisions on the connection that `upgrade` opened."""

import importlib

from alembic import context

from ledger.relational import metadata

DECLARING = (
    "ledger.anchor",
    "ledger.meters",
    "metering.keys",
    "posting.documents",
    "rating.catalog_drafts",
    "rating.catalog_store",
    "rating.credit_grants",
    "rating.runs",
)
"""Importing these declares every table."""

for module in DECLARING:
    importlib.import_module(module)

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
