"""A count of changes to whoever stands where: who remembers rights looks at it, and forgets when it has moved.

Triggers keep it, so that no program can change such a row and leave the count as it was.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_ALWAYS = ("person_address", "team_member", "agreement_case", "assignment", "designated_user", "sealing_key")
_ONCE_THERE = ("person", "team", "case_")
"""A new row of these changes no answer that was found before. (And on SQLite a trigger would make its insertion look
for rows that refer to it, in tables that the program which inserts may not read.)"""
_COUNT = (
    "INSERT INTO site (name, value) VALUES ('rights', '1') "
    "ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(site.value AS BIGINT) + 1 AS TEXT)"
)


def upgrade() -> None:
    """Make the triggers. The row appears with the first change."""
    if op.get_bind().dialect.name == "sqlite":
        for table in (*_ALWAYS, *_ONCE_THERE):
            for verb in ("insert", "update", "delete") if table in _ALWAYS else ("update", "delete"):
                op.execute(f"CREATE TRIGGER rights_{table}_{verb} AFTER {verb} ON {table} BEGIN {_COUNT}; END")
        return
    # It counts with its owner's rights: who may write such a row need not be able to write the count.
    op.execute(
        "CREATE FUNCTION rights_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = public, pg_temp AS $$ BEGIN {_COUNT}; RETURN NULL; END $$"
    )
    for table in (*_ALWAYS, *_ONCE_THERE):
        verbs = "INSERT OR UPDATE OR DELETE" if table in _ALWAYS else "UPDATE OR DELETE"
        op.execute(
            f"CREATE TRIGGER rights_{table} AFTER {verbs} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION rights_changed()"
        )
