"""Table of chunks."""

from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, String, Table, Text

from openproctor.storage.database import metadata

chunks = Table(
    "chunks",
    metadata,
    Column("session_id", String(26), primary_key=True),
    Column("track", String(8), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("organization_id", String(26), nullable=False),
    Column("part", Integer, nullable=False),
    Column("container", String(4), nullable=False),
    # bytes of the init segment at the beginning; the rest is media
    Column("init_size", Integer, nullable=False),
    Column("has_media", Integer, nullable=False),
    # seconds on the part's own timeline; null for a chunk that is only an init segment
    Column("media_time", Float),
    Column("duration", Float),
    Column("timescales", Text),
    Column("part_started_at", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("object_key", Text, nullable=False),
    # what is played, where that is not the chunk itself (remuxed WebM)
    Column("play_key", Text),
    Column("position", BigInteger, nullable=False),
    Column("link", LargeBinary(32), nullable=False),
)
