"""What readers save, what is learned from it, what a sentence model makes of papers, and what letters have told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    for name in ("like_saved", "sent_news"):
        op.add_column("subscriber", sa.Column(name, sa.Integer(), nullable=True))
    for name, table in (("upto_paper", "paper"), ("upto_event", "paper_event")):
        op.add_column("issue", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False))
        # What happened before this version is no news to those who had letters.
        op.execute(f"UPDATE issue SET {name} = coalesce((SELECT max(id) FROM {table}), 0)")  # noqa: S608 names of ours
    op.create_table(
        "saved",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("liking", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("abstract", sa.String(), nullable=False),
        sa.Column("authors", JSON, nullable=False),
        sa.Column("published", sa.Date(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_saved_subscriber_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name="fk_saved_paper_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_saved"),
        sa.UniqueConstraint("subscriber_id", "key", name="uq_saved_subscriber_id_key"),
    )
    op.create_index("ix_saved_paper_id", "saved", ["paper_id"])
    op.create_table(
        "profile",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("more", JSON, nullable=False),
        sa.Column("less", JSON, nullable=False),
        sa.Column("edits", JSON, nullable=False),
        sa.Column("saved", sa.Integer(), nullable=False),
        sa.Column("disliked", sa.Integer(), nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_profile_subscriber_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_profile"),
    )
    stale = sa.text("stale")
    op.create_index("ix_profile_stale", "profile", ["subscriber_id"], sqlite_where=stale, postgresql_where=stale)
    op.create_table(
        "embedding_model",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_embedding_model"),
        sa.UniqueConstraint("sha256", name="uq_embedding_model_sha256"),
    )
    op.create_table(
        "embedding",
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name="fk_embedding_paper_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["model_id"], ["embedding_model.id"], name="fk_embedding_model_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("paper_id", name="pk_embedding"),
    )
    op.create_index("ix_embedding_model_id", "embedding", ["model_id"])


def downgrade() -> None:
    for table in ("embedding", "embedding_model", "profile", "saved"):
        op.drop_table(table)
    for table, names in (("issue", ("upto_event", "upto_paper")), ("subscriber", ("sent_news", "like_saved"))):
        for name in names:
            op.drop_column(table, name)
