"""Schema migrations (Alembic), run by the server at its start."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, create_engine

from openproctor.storage.engine import DatabaseUnusable

MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def upgrade_connection(connection: Connection, revision: str = "head") -> None:
    """Bring the schema of a connected database up to a revision."""
    try:
        command.upgrade(_config(connection), revision)
    except CommandError as error:
        raise DatabaseUnusable(
            f"The database cannot be brought up to date ({error}). Nothing was changed. "
            "It was probably written by a newer version: run that one, or restore a backup from before."
        ) from error


def downgrade_connection(connection: Connection, revision: str = "base") -> None:
    """Take the schema of a connected database down to a revision. Data of what is removed is lost."""
    command.downgrade(_config(connection), revision)


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema of a SQLite file up to a revision."""
    _with(url, lambda connection: upgrade_connection(connection, revision))


def downgrade(url: str, revision: str = "base") -> None:
    """Take the schema of a SQLite file down to a revision. Data of what is removed is lost."""
    _with(url, lambda connection: downgrade_connection(connection, revision))


def _with(url: str, work: Callable[[Connection], None]) -> None:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            work(connection)
    finally:
        engine.dispose()
