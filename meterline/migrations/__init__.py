"""Bring the relational store to the newest revision; every package's tables are declared on one metadata."""

from pathlib import Path

import sqlalchemy as sa

NEWEST = "0001"
"""The newest revision: a store that has it is left alone, and a start does not load what makes revisions."""


def upgrade(engine: sa.Engine) -> None:
    """Apply the revisions that are missing, each in a transaction."""
    if _revision(engine) == NEWEST:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
