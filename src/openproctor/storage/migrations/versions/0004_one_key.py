"""Events are found by their session: an index of their types cost more than it saved."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_index("ix_events_session_id_type_id", table_name="events")


def downgrade() -> None:
    op.create_index("ix_events_session_id_type_id", "events", ["session_id", "type_id"], unique=False)
