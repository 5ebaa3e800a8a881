"""Merging, events, wordings, the sent ledger, where the archive lives.

The full-text index moves out of the migrations: what can be worked out from the tables is made by storage/derived.py.
"""

import json
import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from domain.fts5 import TOKENIZE, searchable
from domain.titles import title_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.execute("DROP TABLE IF EXISTS paper_fts")
    op.drop_index("ix_paper_title_key", table_name="paper")
    op.drop_column("paper", "title_key")
    op.add_column("paper", sa.Column("said_by", JSON, server_default=sa.text("'{}'"), nullable=False))
    op.add_column("paper_identifier", sa.Column("place", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "paper_trait",
        sa.Column("trait", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("trait", "paper_id", name=op.f("pk_paper_trait")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "wording",
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name=op.f("fk_wording_paper_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("paper_id", "field", "source", name=op.f("pk_wording")),
    )
    op.create_table(
        "paper_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name=op.f("fk_paper_event_paper_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_event")),
        sa.UniqueConstraint("paper_id", "kind", "note", name=op.f("uq_paper_event_paper_id_kind_note")),
    )
    op.create_index("ix_paper_event_at", "paper_event", ["at"])
    op.create_table(
        "paper_kin",
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name=op.f("fk_paper_kin_paper_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["other_id"], ["paper.id"], name=op.f("fk_paper_kin_other_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("paper_id", "other_id", name=op.f("pk_paper_kin")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_paper_kin_other_id"), "paper_kin", ["other_id"])
    op.create_index("ix_delivery_date", "delivery", ["date"])
    op.create_index("ix_sighting_source_day_paper_id", "sighting", ["source", "day", "paper_id"])
    op.create_index("ix_paper_published_id", "paper", ["published", "id"])
    op.create_index("ix_paper_upvotes_id", "paper", ["upvotes", "id"])
    op.create_table(
        "sent",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_sent_subscriber_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name=op.f("fk_sent_paper_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("subscriber_id", "paper_id", name=op.f("pk_sent")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_sent_paper_id"), "sent", ["paper_id"])
    op.execute("INSERT INTO sent (subscriber_id, paper_id) SELECT subscriber_id, paper_id FROM issue_paper")
    with op.batch_alter_table("issue_paper") as batch_op:
        batch_op.drop_constraint("uq_issue_paper_subscriber_id_paper_id", type_="unique")
        batch_op.drop_constraint("fk_issue_paper_subscriber_id", type_="foreignkey")
        batch_op.drop_column("subscriber_id")
    op.create_index(op.f("ix_issue_paper_paper_id"), "issue_paper", ["paper_id"])
    if op.get_bind().dialect.name == "sqlite":
        # The number of a match that went is never given again: what is news is decided by it.
        with op.batch_alter_table("match", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
    op.create_table(
        "erasure",
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_erasure")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("home", sa.String(), nullable=False),
        sa.Column("passes", sa.Integer(), nullable=False),
        sa.Column("held", sa.String(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    named = sa.text("INSERT INTO installation (id, public_id, home, passes, held) VALUES (1, :named, '', 0, '')")
    op.get_bind().execute(named, {"named": secrets.token_hex(16)})


def downgrade() -> None:
    op.drop_table("installation")
    op.drop_table("erasure")
    _ledger_into_issues()
    op.drop_index("ix_delivery_date", table_name="delivery")
    op.drop_index("ix_paper_upvotes_id", table_name="paper")
    op.drop_index("ix_paper_published_id", table_name="paper")
    op.drop_index("ix_sighting_source_day_paper_id", table_name="sighting")
    op.drop_table("paper_kin")
    op.drop_table("paper_event")
    op.drop_table("wording")
    op.drop_table("paper_trait")
    op.execute("DELETE FROM paper_identifier WHERE place > 0 OR scheme = 'title'")
    op.drop_column("paper_identifier", "place")
    op.drop_column("paper", "said_by")
    _title_keys_and_words()


def _ledger_into_issues() -> None:
    """The ledger of the past that has no issue any more has no room in the older schema."""
    op.drop_index("ix_issue_paper_paper_id", table_name="issue_paper")
    op.add_column("issue_paper", sa.Column("subscriber_id", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE issue_paper SET subscriber_id = (SELECT subscriber_id FROM issue WHERE issue.id = issue_paper.issue_id)"
    )
    op.execute(
        "DELETE FROM issue_paper WHERE EXISTS (SELECT 1 FROM issue_paper other WHERE other.paper_id ="
        " issue_paper.paper_id AND other.subscriber_id = issue_paper.subscriber_id"
        " AND other.issue_id < issue_paper.issue_id)"
    )
    with op.batch_alter_table("issue_paper") as batch_op:
        batch_op.alter_column("subscriber_id", existing_type=sa.Integer(), nullable=False)
        batch_op.create_foreign_key(
            "fk_issue_paper_subscriber_id", "subscriber", ["subscriber_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_unique_constraint("uq_issue_paper_subscriber_id_paper_id", ["subscriber_id", "paper_id"])
    op.drop_table("sent")


def _title_keys_and_words() -> None:
    """The older schema keeps title keys in a column, and its words in an index of its own."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    op.add_column("paper", sa.Column("title_key", sa.String(), server_default="", nullable=False))
    if is_sqlite:
        op.execute(
            f"CREATE VIRTUAL TABLE paper_fts USING fts5(title, abstract, authors, content='', tokenize=\"{TOKENIZE}\")"
        )
    last = 0
    block = sa.text("SELECT id, title, abstract, authors FROM paper WHERE id > :last ORDER BY id LIMIT 500")
    while rows := connection.execute(block, {"last": last}).all():
        connection.execute(
            sa.text("UPDATE paper SET title_key = :named WHERE id = :id"),
            [{"id": row.id, "named": title_key(row.title)} for row in rows],
        )
        if is_sqlite:
            words = "INSERT INTO paper_fts(rowid, title, abstract, authors) VALUES (:id, :title, :abstract, :authors)"
            connection.execute(
                sa.text(words),
                [
                    {
                        "id": row.id,
                        "title": searchable(row.title),
                        "abstract": searchable(row.abstract),
                        "authors": searchable(", ".join(json.loads(row.authors))),
                    }
                    for row in rows
                ],
            )
        last = rows[-1].id
    op.create_index("ix_paper_title_key", "paper", ["title_key"])
