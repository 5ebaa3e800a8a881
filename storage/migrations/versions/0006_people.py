"""What readers change by themselves: pauses, text alone, addresses, shared topics; where they agreed to what."""

import sqlalchemy as sa
from alembic import op

from domain.mailboxes import mailbox_of

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_AT_ONCE = 1000  # readers whose mailboxes are named


def upgrade() -> None:
    op.add_column("subscriber", sa.Column("paused_until", sa.Date(), nullable=True))
    op.add_column("subscriber", sa.Column("away_since", _INSTANT, nullable=True))
    op.add_column("subscriber", sa.Column("text_only", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("subscriber", sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("subscriber", sa.Column("mailbox", sa.String(), server_default="", nullable=False))
    _name_mailboxes(op.get_bind())
    op.create_index("ix_subscriber_mailbox", "subscriber", ["mailbox"])
    op.add_column("consent", sa.Column("place", sa.String(), server_default="", nullable=False))
    op.create_table(
        "address_change",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("address_key", sa.String(), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_address_change_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", name=op.f("pk_address_change")),
    )
    op.create_table(
        "shared_topic",
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_shared_topic_subscriber_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_shared_topic_topic_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_shared_topic")),
    )
    op.create_index("ix_shared_topic_topic_id", "shared_topic", ["topic_id"])
    op.create_index("ix_shared_topic_subscriber_id", "shared_topic", ["subscriber_id"])
    of_no_issue = sa.text("issue_id IS NULL")
    op.create_index("ix_delivery_asked", "delivery", ["date"], sqlite_where=of_no_issue, postgresql_where=of_no_issue)


def _name_mailboxes(connection: sa.Connection) -> None:
    """Say of every reader in which mailbox their address is."""
    some = sa.text("SELECT id, address_key FROM subscriber WHERE id > :last ORDER BY id LIMIT :most")
    named = sa.text("UPDATE subscriber SET mailbox = :mailbox WHERE id = :id")
    last = 0
    while rows := connection.execute(some, {"last": last, "most": _AT_ONCE}).all():
        connection.execute(named, [{"id": row.id, "mailbox": mailbox_of(row.address_key).key} for row in rows])
        last = rows[-1].id


def downgrade() -> None:
    op.drop_index("ix_delivery_asked", "delivery")
    op.drop_table("shared_topic")
    op.drop_table("address_change")
    # Nothing there ends a pause. Who named a day was promised letters again; who named none says so themselves, by
    # leaving and signing up again, or after an upgrade: rather no letter than one that was not wished.
    op.execute("UPDATE subscriber SET state = 'confirmed' WHERE state = 'paused' AND paused_until IS NOT NULL")
    op.drop_column("consent", "place")
    op.drop_index("ix_subscriber_mailbox", "subscriber")
    op.drop_column("subscriber", "mailbox")
    for column in ("revision", "text_only", "away_since", "paused_until"):
        op.drop_column("subscriber", column)
