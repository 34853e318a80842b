"""What lies beyond a hole of a page's stream is written as ranges, so that it takes no more room the more there is.

Single numbers, as they were written before, are still read: nothing is changed. But a version that knows only these must not
open the database any more.
"""

import json
from itertools import chain

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

heads = sa.table("heads", sa.column("session_id", sa.String), sa.column("streams", sa.Text))


def upgrade() -> None:
    """Nothing to do; see above."""


def downgrade() -> None:
    connection = op.get_bind()
    with_ranges = sa.select(heads.c.session_id, heads.c.streams).where(heads.c.streams.like("%[[%"))
    for session_id, text in connection.execute(with_ranges).all():
        streams = {
            stream: [through, list(chain.from_iterable(range(first, last + 1) for first, last in beyond))]
            for stream, (through, beyond) in json.loads(text).items()
        }
        connection.execute(heads.update().where(heads.c.session_id == session_id).values(streams=json.dumps(streams)))
