"""Triggers that count changes of rows on which rights rest; for tables that came after the first such triggers."""

from __future__ import annotations

from alembic import op

_COUNT = (
    "INSERT INTO site (name, value) VALUES ('rights', '1') "
    "ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(site.value AS BIGINT) + 1 AS TEXT)"
)


def count_changes(table: str) -> None:
    """Count every insertion, change and deletion in a table."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("insert", "update", "delete"):
            op.execute(f"CREATE TRIGGER rights_{table}_{verb} AFTER {verb} ON {table} BEGIN {_COUNT}; END")
        return
    op.execute(
        f"CREATE TRIGGER rights_{table} AFTER INSERT OR UPDATE OR DELETE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION rights_changed()"
    )
