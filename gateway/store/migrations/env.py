"""What Alembic runs: every step on the one connection, and in the one transaction, that `upgrade` opened."""

from __future__ import annotations

from alembic import context

from gateway.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
context.run_migrations()
