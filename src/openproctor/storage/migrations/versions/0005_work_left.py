"""Looking for work passes over what is complete: it takes no longer after ten thousand exams than after ten."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("ix_analyses_lease_until", "analyses", ["lease_until"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_analyses_lease_until", table_name="analyses")
