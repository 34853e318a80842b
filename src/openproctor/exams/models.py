"""Table of exams."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text

from openproctor.storage.database import metadata

exams = Table(
    "exams",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("organization_id", String(26), ForeignKey("organizations.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text),
    Column("policy", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_exams_organization_id", "organization_id", "created_at"),
)
