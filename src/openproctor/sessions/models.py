"""Tables of sessions and of who is connected."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from openproctor.storage.database import metadata

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("organization_id", String(26), ForeignKey("organizations.id"), nullable=False),
    Column("exam_id", String(26), ForeignKey("exams.id"), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("attempt", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    # the exam's policy as it was when the session was made: a later change must not move a running exam
    Column("policy", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("joined_at", BigInteger),
    Column("started_at", BigInteger),
    Column("deadline_at", BigInteger),
    Column("finish_requested_at", BigInteger),
    Column("completed_at", BigInteger),
    Column("outcome", String(12)),
    Column("manifest", Text),
    Column("device", String(64)),
    # accommodations that hold now, as JSON; their history is in the log
    Column("accommodations", Text),
    UniqueConstraint("exam_id", "external_id", "attempt"),
    Index("ix_sessions_organization_id", "organization_id", "id"),
    Index("ix_sessions_state", "state"),
)

# one row a session that was ever connected: its newest socket
presence = Table(
    "presence",
    metadata,
    Column("session_id", String(26), ForeignKey("sessions.id"), primary_key=True),
    Column("organization_id", String(26), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("lost_at", BigInteger),
    Column("offline", Boolean, nullable=False),
    Column("sockets", Integer, nullable=False),
    # the server that holds the socket, and the page behind it
    Column("node", String(26)),
    Column("page", String(64)),
    Index("ix_presence_node", "node"),
)
