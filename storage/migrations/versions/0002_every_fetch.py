"""Every fetch and its page; how a site wants to be asked; versions and details of sightings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "fetch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("http", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("declared", sa.Integer(), nullable=True),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("last_modified", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fetch")),
    )
    op.create_index("ix_fetch_source_at", "fetch", ["source", "at"])
    op.create_index("ix_fetch_source_day", "fetch", ["source", "day"])
    op.create_table(
        "site",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started", JSON, nullable=False),
        sa.Column("busy_until", sa.Float(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("held_until", sa.Float(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("robots", sa.String(), nullable=False),
        sa.Column("robots_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_site")),
    )
    op.create_table(
        "kept_page",
        sa.Column("fetch_id", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["fetch_id"], ["fetch.id"], name=op.f("fk_kept_page_fetch_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("fetch_id", name=op.f("pk_kept_page")),
    )
    op.create_table(
        "source_day",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", name=op.f("pk_source_day")),
    )
    op.add_column("page_validator", sa.Column("day", sa.Date(), nullable=True))
    op.add_column("page_validator", sa.Column("given_by", sa.String(), server_default="", nullable=False))
    op.add_column("paper", sa.Column("version", sa.Integer(), nullable=True))
    op.add_column("sighting", sa.Column("details", JSON, server_default=sa.text("'{}'"), nullable=False))


def downgrade() -> None:
    op.drop_column("sighting", "details")
    op.drop_column("paper", "version")
    op.drop_column("page_validator", "given_by")
    op.drop_column("page_validator", "day")
    op.drop_table("source_day")
    op.drop_table("kept_page")
    op.drop_table("site")
    op.drop_index("ix_fetch_source_day", table_name="fetch")
    op.drop_index("ix_fetch_source_at", table_name="fetch")
    op.drop_table("fetch")
