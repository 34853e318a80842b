"""Whose line it is: the server that holds a candidate's socket, and the page behind it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("presence", sa.Column("node", sa.String(length=26), nullable=True))
    op.add_column("presence", sa.Column("page", sa.String(length=64), nullable=True))
    op.create_index("ix_presence_node", "presence", ["node"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_presence_node", table_name="presence")
    op.drop_column("presence", "page")
    op.drop_column("presence", "node")
