"""Letters to the operator, lanes, events of letters, suppressions, silences, troubles; what a publish planned.

Whoever is suppressed already is remembered by the hash of their address too.
"""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from domain.mailboxes import keeper_of
from domain.seals import address_hash

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OPEN = "state IN ('planned','leased','sending','deferred','uncertain')"
_INSTANT = sa.DateTime(timezone=True)
_SUPPRESSED = """
SELECT address_key, coalesce(
    (SELECT consent.action <> 'unsubscribed' FROM consent
     WHERE consent.subscriber_id = subscriber.id AND consent.action <> 'asked' ORDER BY consent.id DESC LIMIT 1),
    confirmed_at IS NOT NULL
) AS is_reader
FROM subscriber WHERE state = 'suppressed'
"""
_OF_OLD = "SELECT id FROM content WHERE kind IN ('digest', 'confirm')"


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column("installation", sa.Column("complaints_from", _INSTANT, nullable=True))
    op.add_column("installation", sa.Column("secret", sa.String(), server_default="", nullable=False))
    secret = secrets.token_hex(32)
    connection.execute(sa.text("UPDATE installation SET secret = :secret"), {"secret": secret})
    with op.batch_alter_table("installation") as batch_op:
        batch_op.alter_column("secret", existing_type=sa.String(), server_default=None, existing_nullable=False)

    op.add_column("publish_run", sa.Column("ended_at", _INSTANT, nullable=True))
    op.add_column("publish_run", sa.Column("gone", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.execute("UPDATE publish_run SET ended_at = at")
    op.add_column("issue", sa.Column("run_id", sa.Integer(), nullable=True))
    op.create_index("ix_issue_run_id", "issue", ["run_id"])

    _letters_to_the_operator(nullable=True)
    op.create_index(
        "ix_delivery_message_id", "delivery", ["message_id"], postgresql_ops={"message_id": "text_pattern_ops"}
    )
    op.add_column("delivery", sa.Column("keeper", sa.String(), server_default="", nullable=False))
    op.add_column("delivery", sa.Column("signature", sa.String(), server_default="", nullable=False))
    still_open = connection.execute(sa.text(f"SELECT id, recipient FROM delivery WHERE {_OPEN}")).all()  # noqa: S608 ours
    if still_open:
        connection.execute(
            sa.text("UPDATE delivery SET keeper = :keeper WHERE id = :id"),
            [{"id": row.id, "keeper": keeper_of(row.recipient)} for row in still_open],
        )
    _tables()
    _remember_who_is_suppressed(connection, secret)


def _remember_who_is_suppressed(connection: sa.Connection, secret: str) -> None:
    """Keep a row for each; what they were before is what they agreed to last."""
    held = connection.execute(sa.text(_SUPPRESSED)).all()
    suppression = sa.table(
        "suppression",
        *(sa.column(name) for name in ("address_hash", "reason", "detail", "was")),
        sa.column("at", _INSTANT),
    )
    if held:
        op.bulk_insert(
            suppression,
            [
                {
                    "address_hash": address_hash(secret, row.address_key),
                    "reason": "operator",
                    "detail": "suppressed before reasons were kept",
                    "at": datetime.now(UTC),
                    "was": "confirmed" if row.is_reader else "unsubscribed",
                }
                for row in held
            ],
        )


def _letters_to_the_operator(*, nullable: bool) -> None:
    # On SQLite the number of a delivery that went is never given again: a bounce names it.
    with op.batch_alter_table("delivery", table_kwargs={"sqlite_autoincrement": nullable}) as batch_op:
        batch_op.alter_column("subscriber_id", existing_type=sa.Integer(), nullable=nullable)


def _tables() -> None:
    op.create_table(
        "silence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("first_slot", sa.String(), nullable=False),
        sa.Column("last_slot", sa.String(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_silence_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_index("ix_silence_subscriber_id_id", "silence", ["subscriber_id", "id"])
    op.create_index("ix_silence_until", "silence", ["until"])
    op.create_table(
        "letter_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_event_id", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_letter_event_delivery_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_letter_event_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_event")),
        sa.UniqueConstraint("source", "source_event_id", name=op.f("uq_letter_event_source_source_event_id")),
    )
    for name in ("at", "received_at", "delivery_id", "subscriber_id"):
        op.create_index(f"ix_letter_event_{name}", "letter_event", [name])
    op.create_table(
        "suppression",
        sa.Column("address_hash", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("was", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_suppression")),
    )
    op.create_table(
        "lane",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("filled_at", sa.Float(), nullable=False),
        sa.Column("per_hour", sa.Float(), nullable=True),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("shut_until", _INSTANT, nullable=True),
        sa.Column("shut_since", _INSTANT, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lane")),
    )
    op.create_table(
        "trouble",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("last_at", _INSTANT, nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("told_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_trouble")),
    )


def downgrade() -> None:
    for table in ("trouble", "lane", "suppression", "letter_event", "silence"):
        op.drop_table(table)
    op.execute("DELETE FROM delivery WHERE subscriber_id IS NULL")
    # Of the new kinds the earlier version cannot read one letter, and would send none for its sake.
    op.execute(
        "UPDATE delivery SET state = 'skipped', not_before = NULL, lease_until = NULL, worker = '', "  # noqa: S608 ours
        "reason = 'the version that was gone back to knows no such letter' "
        f"WHERE {_OPEN} AND content_id NOT IN ({_OF_OLD})"
    )
    op.drop_index("ix_delivery_message_id", table_name="delivery")
    op.drop_column("delivery", "signature")
    op.drop_column("delivery", "keeper")
    _letters_to_the_operator(nullable=False)
    op.drop_index("ix_issue_run_id", table_name="issue")
    op.drop_column("issue", "run_id")
    op.drop_column("publish_run", "gone")
    op.drop_column("publish_run", "ended_at")
    op.drop_column("installation", "secret")
    op.drop_column("installation", "complaints_from")
