"""Table of stills."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from openproctor.storage.database import metadata

captures = Table(
    "captures",
    metadata,
    Column("session_id", String(26), primary_key=True),
    Column("id", String(26), primary_key=True),
    Column("organization_id", String(26), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("captured_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("media_type", String(16), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("object_key", Text, nullable=False),
    # verdict of the check on this still: {passed, reasons, measures}
    Column("verdict", Text),
    Column("position", BigInteger, nullable=False),
    Column("link", LargeBinary(32), nullable=False),
)
