"""Alembic's entry: migrations are written by hand, a test compares their result with the tables in the code."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=True, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
