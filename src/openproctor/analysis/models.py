"""Table of the analysis: how far each session's camera track is analysed, and by whom just now."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from openproctor.storage.database import metadata

analyses = Table(
    "analyses",
    metadata,
    Column("session_id", String(26), primary_key=True),
    Column("organization_id", String(26), nullable=False),
    # the chunk to be analysed next; written in the same transaction as the findings of those before
    Column("next_number", Integer, nullable=False),
    # the pipeline's state as JSON, so that any worker can go on
    Column("state", Text),
    Column("owner", String(64)),
    Column("lease_until", BigInteger, nullable=False),
    # how often somebody has begun with that chunk and written nothing since
    Column("tries", Integer, nullable=False, server_default="0"),
    # those that are complete, nearly all after a while, are of no interest to anybody who looks for work
    Index("ix_analyses_lease_until", "lease_until"),
)
