"""Alembic's entry: run the revisions on the connection that `upgrade` opened."""

from alembic import context

import metering.keys
import posting.documents
import rating.catalog_store
import rating.runs  # noqa: F401  importing declares the tables
from ledger.relational import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
