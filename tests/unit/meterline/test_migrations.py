"""The revisions make exactly the tables that the packages declare."""

from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import meterline.installation  # noqa: F401  declares every table
from ledger.relational import connect, metadata
from meterline import migrations


def test_the_revisions_make_what_the_packages_declare(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'new.sqlite'}")
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        made = sa.inspect(connection).get_table_names()
    assert set(made) == {*metadata.tables, "alembic_version"}
    engine.dispose()


def test_the_revisions_keep_the_same_tables_by_their_key(tmp_path: Path) -> None:
    upgraded, declared = connect(f"sqlite:///{tmp_path / 'new.sqlite'}"), connect("sqlite://")
    migrations.upgrade(upgraded)
    metadata.create_all(declared)
    assert _kept_by_key(upgraded) == _kept_by_key(declared) >= {"contracts", "customers", "documents"}
    upgraded.dispose()


def _kept_by_key(engine: sa.Engine) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID%'"
    with engine.connect() as connection:
        return set(connection.scalars(sa.text(query)))


def test_newest_is_the_newest_revision() -> None:
    folder = Path(migrations.__file__).parent
    config = Config()
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.NEWEST


def test_an_upgraded_store_is_left_alone(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'twice.sqlite'}")
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE meters"))
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert not sa.inspect(connection).has_table("meters")
    engine.dispose()
