"""What a reader may choose of a letter, related papers, matches that are only counted, votes that make a match.

The newest papers meet the topics again: a score is now one of the whole archive.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CHOICES = ("papers", "per_topic", "late_risers", "trending")
_NEWEST = 5_000  # papers


def upgrade() -> None:
    for name in _CHOICES:
        op.add_column("subscriber", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("subscription", sa.Column("related", sa.Boolean(), nullable=True))
    op.add_column("rematch", sa.Column("words", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_table(
        "tally",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("match_id", sa.Integer(), nullable=False),
        sa.Column("beyond", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("news", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_tally_topic_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally")),
    )
    op.create_index("ix_tally_topic_id_match_id", "tally", ["topic_id", "match_id"])
    newest = f"SELECT id FROM paper ORDER BY id DESC LIMIT {_NEWEST}"  # noqa: S608 the number above
    op.execute(f"INSERT INTO rematch (paper_id) {newest}")


def downgrade() -> None:
    op.drop_table("tally")
    op.drop_column("rematch", "words")
    op.drop_column("subscription", "related")
    for name in reversed(_CHOICES):
        op.drop_column("subscriber", name)
