"""When readers are looked at again, and letters that leave once the sources have closed their day."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriber", sa.Column("ready", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(
        "subscriber",
        sa.Column("next_look", sa.DateTime(timezone=True), server_default="1970-01-01 00:00:00.000000", nullable=False),
    )
    op.create_index("ix_subscriber_state_next_look_id", "subscriber", ["state", "next_look", "id"])
    op.drop_index("ix_subscriber_state", "subscriber")  # the new one begins with it


def downgrade() -> None:
    op.create_index("ix_subscriber_state", "subscriber", ["state"])
    op.drop_index("ix_subscriber_state_next_look_id", "subscriber")
    # Who asked for letters as soon as possible gets them at their latest hour.
    op.drop_column("subscriber", "next_look")
    op.drop_column("subscriber", "ready")
