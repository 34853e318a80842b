"""What is not looked for, or less strictly, at one candidate."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("accommodations", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "accommodations")
