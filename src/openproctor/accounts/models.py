"""Tables of organizations, people and their credentials."""

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, String, Table, Text, UniqueConstraint

from openproctor.storage.database import metadata

organizations = Table(
    "organizations",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("organization_id", String(26), ForeignKey("organizations.id"), nullable=False),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("email"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("organization_id", String(26), ForeignKey("organizations.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("organization_id", String(26), ForeignKey("organizations.id"), nullable=False),
    Column("person_id", String(26), ForeignKey("people.id"), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
