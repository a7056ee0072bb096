"""The spine: keys, catalog, runs, documents, and the ledger's identity and head."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(), nullable=False, comment="the part of the key that may be shown"),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the whole key"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("hash", name="uq_api_keys_hash"),
    )
    op.create_table(
        "catalog_drafts",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("drafted_by", sa.String(), nullable=False),
        sa.Column("drafted_at", sa.BigInteger(), nullable=False, comment="UTC milliseconds"),
        sa.Column("base_version", sa.Integer(), nullable=False, comment="catalog version it was read against"),
        sa.Column("source", sa.Text(), nullable=False, comment="the file as it was"),
        sa.Column("changes", sa.Integer(), nullable=False, comment="how many"),
        sa.Column("difference", sa.Text(), nullable=False, comment="JSON; as it was drafted, then as it was approved"),
        sa.Column("digest", sa.String(), nullable=False, comment="hex; of that difference"),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True, comment="UTC milliseconds"),
        sa.Column("reason", sa.String(), nullable=True, comment="why it was rejected"),
        sa.Column("version", sa.Integer(), nullable=True, comment="catalog version it became"),
        sa.PrimaryKeyConstraint("number", name="pk_catalog_drafts"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "catalog_versions",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False, comment="UTC milliseconds"),
        sa.Column("actor", sa.String(), nullable=False, comment="who applied it"),
        sa.Column("drafted_by", sa.String(), nullable=True, comment="who drafted it, where another person approved it"),
        sa.Column("source", sa.Text(), nullable=False, comment="the file as it was applied"),
        sa.Column("digest", sa.String(), nullable=False, comment="of the file"),
        sa.PrimaryKeyConstraint("version", name="pk_catalog_versions"),
    )
    op.create_table(
        "contracts",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("starts", sa.String(), nullable=False, comment="first day, YYYY-MM-DD"),
        sa.Column("ends", sa.String(), nullable=True, comment="first day after it, YYYY-MM-DD"),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("anchor", sa.Integer(), nullable=False, comment="day of the month on which its periods begin"),
        sa.Column("commitment", sa.Text(), nullable=False, comment="JSON; empty: none"),
        sa.Column("discounts", sa.Text(), nullable=False, comment="of its own, in their order, JSON; empty: none"),
        sa.Column("version", sa.Integer(), nullable=False, comment="catalog version that wrote this row"),
        sa.Column("superseded", sa.Integer(), nullable=True, comment="catalog version that replaced it, if any"),
        sa.PrimaryKeyConstraint("tenant", "id", "version", name="pk_contracts"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("contracts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_contracts_agreeing",
            ["tenant", "version"],
            unique=False,
            sqlite_where=sa.text("commitment != '' OR discounts != '' OR anchor != 1"),
            postgresql_where=sa.text("commitment != '' OR discounts != '' OR anchor != 1"),
        )
        batch_op.create_index(
            "uq_contracts_live",
            ["tenant", "id"],
            unique=True,
            sqlite_where=sa.text("superseded IS NULL"),
            postgresql_where=sa.text("superseded IS NULL"),
        )

    op.create_table(
        "credit_grants",
        sa.Column(
            "version", sa.Integer(), autoincrement=False, nullable=False, comment="its number in the count of both"
        ),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="minor units; of a recurring grant: each time"),
        sa.Column("kind", sa.String(), nullable=False, comment="prepaid, promotional or recurring"),
        sa.Column("name", sa.String(), nullable=False, comment="what the line of an invoice is called"),
        sa.Column("priority", sa.Integer(), nullable=False, comment="the lowest burns first"),
        sa.Column("effective", sa.String(), nullable=False, comment="first day, YYYY-MM-DD"),
        sa.Column("expires", sa.String(), nullable=True, comment="first day after it, YYYY-MM-DD"),
        sa.Column("products", sa.Text(), nullable=False, comment="what it pays for, JSON; an empty list: everything"),
        sa.Column("cost_basis", sa.String(), nullable=False, comment="what the customer paid for a unit of it"),
        sa.Column(
            "every", sa.String(), nullable=False, comment="of a recurring grant: the interval, ISO 8601; else empty"
        ),
        sa.Column("rollover_min", sa.BigInteger(), nullable=False, comment="minor units that a refill leaves at least"),
        sa.Column(
            "rollover_max", sa.BigInteger(), nullable=False, comment="minor units that a refill lets stay at most"
        ),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="UTC milliseconds"),
        sa.PrimaryKeyConstraint("version", name="pk_credit_grants"),
        sa.UniqueConstraint("tenant", "id", name="uq_credit_grants_tenant_id"),
    )
    op.create_table(
        "credit_voids",
        sa.Column(
            "version", sa.Integer(), autoincrement=False, nullable=False, comment="its number in the count of both"
        ),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column(
            "created_at", sa.BigInteger(), nullable=False, comment="UTC milliseconds; from here on it pays nothing"
        ),
        sa.PrimaryKeyConstraint("version", name="pk_credit_voids"),
        sa.UniqueConstraint("tenant", "grant_id", name="uq_credit_voids_tenant_grant_id"),
    )
    op.create_table(
        "customer_subjects",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="catalog version that wrote this row"),
        sa.Column("superseded", sa.Integer(), nullable=True, comment="catalog version that replaced it, if any"),
        sa.PrimaryKeyConstraint("tenant", "subject", "version", name="pk_customer_subjects"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("customer_subjects", schema=None) as batch_op:
        batch_op.create_index(
            "uq_customer_subjects_live",
            ["tenant", "subject"],
            unique=True,
            sqlite_where=sa.text("superseded IS NULL"),
            postgresql_where=sa.text("superseded IS NULL"),
        )

    op.create_table(
        "customers",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("tax_place", sa.String(), nullable=True, comment="none: not taxed by us"),
        sa.Column("tax_exempt", sa.String(), nullable=True, comment="why no tax is due"),
        sa.Column("credit", sa.Text(), nullable=False, comment="how its credit is spent, JSON; empty: as is usual"),
        sa.Column("version", sa.Integer(), nullable=False, comment="catalog version that wrote this row"),
        sa.Column("superseded", sa.Integer(), nullable=True, comment="catalog version that replaced it, if any"),
        sa.PrimaryKeyConstraint("tenant", "id", "version", name="pk_customers"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index(
            "ix_customers_told",
            ["tenant", "version"],
            unique=False,
            sqlite_where=sa.text("tax_place IS NOT NULL OR credit != ''"),
            postgresql_where=sa.text("tax_place IS NOT NULL OR credit != ''"),
        )
        batch_op.create_index(
            "uq_customers_live",
            ["tenant", "id"],
            unique=True,
            sqlite_where=sa.text("superseded IS NULL"),
            postgresql_where=sa.text("superseded IS NULL"),
        )

    op.create_table(
        "documents",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="invoice or journal"),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=True, comment="a journal has none"),
        sa.Column("currency", sa.String(), nullable=True, comment="a journal has none of its own"),
        sa.Column("key", sa.String(), nullable=False, comment="how the ERP knows it"),
        sa.Column(
            "total",
            sa.BigInteger(),
            nullable=True,
            comment="minor units of the currency; a journal balances to nothing",
        ),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column(
            "digest", sa.String(), nullable=True, comment="hex BLAKE2b-256 of what was approved; a draft has none"
        ),
        sa.Column("state", sa.String(), server_default="draft", nullable=False),
        sa.Column("reference", sa.String(), nullable=True, comment="the ERP's name for it"),
        sa.Column("file", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column(
            "frozen_until", sa.BigInteger(), nullable=True, comment="when a look-up that finds nothing proves something"
        ),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "period", "id", name="pk_documents"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledgers",
        sa.Column("id", sa.String(), nullable=False, comment="the one ledger of this data directory; starts its chain"),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="keys the identity hash"),
        sa.Column("block", sa.BigInteger(), nullable=False, comment="head anchor: the last marked block known here"),
        sa.Column("chain", sa.LargeBinary(), nullable=False, comment="head anchor: the chain hash of that block"),
        sa.PrimaryKeyConstraint("id", name="pk_ledgers"),
    )
    op.create_table(
        "meters",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="catalog version that wrote this row"),
        sa.Column("superseded", sa.Integer(), nullable=True, comment="catalog version that replaced it, if any"),
        sa.Column("event_type", sa.String(), nullable=False),
        sa.Column("aggregation", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("dimensions", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", "version", name="pk_meters"),
    )
    op.create_table(
        "plans",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("discounts", sa.Text(), nullable=False, comment="in their order, JSON; empty: none"),
        sa.Column(
            "pricing_unit", sa.Text(), nullable=False, comment="what its prices are in, JSON; empty: its currency"
        ),
        sa.Column("version", sa.Integer(), nullable=False, comment="catalog version that wrote this row"),
        sa.Column("superseded", sa.Integer(), nullable=True, comment="catalog version that replaced it, if any"),
        sa.PrimaryKeyConstraint("tenant", "name", "version", name="pk_plans"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("plans", schema=None) as batch_op:
        batch_op.create_index(
            "uq_plans_live",
            ["tenant", "name"],
            unique=True,
            sqlite_where=sa.text("superseded IS NULL"),
            postgresql_where=sa.text("superseded IS NULL"),
        )

    op.create_table(
        "contract_prices",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("meter", sa.String(), nullable=False, comment="empty for a fee"),
        sa.Column("fee", sa.String(), nullable=False, comment="the product of a fee; else empty"),
        sa.Column("since", sa.String(), nullable=False, comment="first day, YYYY-MM-DD; empty: always"),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False, comment="the parts of the price, JSON"),
        sa.Column("dimensions", sa.String(), nullable=False, comment="of a matrix, in the order of its keys"),
        sa.Column("proration", sa.String(), nullable=False, comment="of a fee: day, second or none"),
        sa.Column("tax_category", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="catalog version that wrote this row"),
        sa.Column("superseded", sa.Integer(), nullable=True, comment="catalog version that replaced it, if any"),
        sa.PrimaryKeyConstraint("tenant", "contract", "meter", "fee", "since", "version", name="pk_contract_prices"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("contract_prices", schema=None) as batch_op:
        batch_op.create_index(
            "uq_contract_prices_live",
            ["tenant", "contract", "meter", "fee", "since"],
            unique=True,
            sqlite_where=sa.text("superseded IS NULL"),
            postgresql_where=sa.text("superseded IS NULL"),
        )

    op.create_table(
        "prices",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("meter", sa.String(), nullable=False, comment="empty for a fee"),
        sa.Column("fee", sa.String(), nullable=False, comment="the product of a fee; else empty"),
        sa.Column("since", sa.String(), nullable=False, comment="first day, YYYY-MM-DD; empty: always"),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False, comment="the parts of the price, JSON"),
        sa.Column("dimensions", sa.String(), nullable=False, comment="of a matrix, in the order of its keys"),
        sa.Column("proration", sa.String(), nullable=False, comment="of a fee: day, second or none"),
        sa.Column("tax_category", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="catalog version that wrote this row"),
        sa.Column("superseded", sa.Integer(), nullable=True, comment="catalog version that replaced it, if any"),
        sa.PrimaryKeyConstraint("tenant", "plan", "meter", "fee", "since", "version", name="pk_prices"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("prices", schema=None) as batch_op:
        batch_op.create_index(
            "uq_prices_live",
            ["tenant", "plan", "meter", "fee", "since"],
            unique=True,
            sqlite_where=sa.text("superseded IS NULL"),
            postgresql_where=sa.text("superseded IS NULL"),
        )

    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("cutoff", sa.BigInteger(), nullable=False),
        sa.Column("catalog_version", sa.Integer(), nullable=False),
        sa.Column("engine_version", sa.String(), nullable=False),
        sa.Column("input_digest", sa.String(), nullable=False, comment="hex"),
        sa.Column("output_digest", sa.String(), nullable=False, comment="hex; of the charges"),
        sa.Column("charges", sa.BigInteger(), nullable=False, comment="how many"),
        sa.Column(
            "credits_after", sa.Integer(), nullable=True, comment="whose credit it went on from; 0: it was the first"
        ),
        sa.Column(
            "credits_until",
            sa.BigInteger(),
            nullable=True,
            comment="UTC milliseconds that credit is lived through to",
        ),
        sa.Column("manifest", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("started_at", sa.BigInteger(), nullable=False, comment="UTC milliseconds"),
        sa.Column("done_at", sa.BigInteger(), nullable=True, comment="UTC milliseconds"),
        sa.Column("reason", sa.String(), nullable=True, comment="why it was discarded"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(
            "uq_runs_credits",
            ["tenant", "credits_after"],
            unique=True,
            sqlite_where=sa.text("state IN ('rated', 'approved')"),
            postgresql_where=sa.text("state IN ('rated', 'approved')"),
        )
        batch_op.create_index(
            "uq_runs_live",
            ["tenant", "period"],
            unique=True,
            sqlite_where=sa.text("state IN ('rated', 'approved')"),
            postgresql_where=sa.text("state IN ('rated', 'approved')"),
        )

    op.create_table(
        "taxes",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False, comment="of what is taxed"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", sa.String(), nullable=False, comment="first day, YYYY-MM-DD; empty: always"),
        sa.Column("rate", sa.String(), nullable=False, comment="percent"),
        sa.Column("version", sa.Integer(), nullable=False, comment="catalog version that wrote this row"),
        sa.Column("superseded", sa.Integer(), nullable=True, comment="catalog version that replaced it, if any"),
        sa.PrimaryKeyConstraint("tenant", "place", "category", "name", "since", "version", name="pk_taxes"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("taxes", schema=None) as batch_op:
        batch_op.create_index(
            "uq_taxes_live",
            ["tenant", "place", "category", "name", "since"],
            unique=True,
            sqlite_where=sa.text("superseded IS NULL"),
            postgresql_where=sa.text("superseded IS NULL"),
        )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("taxes")
    op.drop_table("runs")
    op.drop_table("prices")
    op.drop_table("contract_prices")
    op.drop_table("plans")
    op.drop_table("meters")
    op.drop_table("ledgers")
    op.drop_table("documents")
    op.drop_table("customers")
    op.drop_table("customer_subjects")
    op.drop_table("credit_voids")
    op.drop_table("credit_grants")
    op.drop_table("contracts")
    op.drop_table("catalog_versions")
    op.drop_table("catalog_drafts")
    op.drop_table("api_keys")
