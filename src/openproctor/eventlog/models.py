"""Tables of the log.

``heads`` has one row a session: where its chain stands. ``events`` holds the events; chunks and stills are linked
into the same chain from their own tables. ``position`` counts every entry of the chain, ``sequence`` the events.
"""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from openproctor.storage.database import metadata

heads = Table(
    "heads",
    metadata,
    Column("session_id", String(26), primary_key=True),
    Column("organization_id", String(26), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("link", LargeBinary(32), nullable=False),
    # {stream: [through, [beyond, …]]}: which sequence numbers of the page's streams are stored
    Column("streams", Text, nullable=False),
    # {type id: how many}
    Column("counts", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("session_id", String(26), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("organization_id", String(26), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("type_id", Integer, nullable=False),
    Column("source", String(10), nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("stream", String(64)),
    Column("client_sequence", BigInteger),
    Column("data", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("link", LargeBinary(32), nullable=False),
)
