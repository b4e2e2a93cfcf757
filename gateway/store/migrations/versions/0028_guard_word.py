"""A message waits for the wrong client guard no more once it is withdrawn, or a word was given that it waits for.

Triggers see to it, so that the programs which take that word need not be able to write what a message waits for.
"""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"

_GIVEN = "AFTER UPDATE OF answer ON guard_wait FOR EACH ROW WHEN (NEW.answer = 'yes')"
_GO = "UPDATE message SET guard = NULL WHERE id = NEW.message_id"


def upgrade() -> None:
    """Make the triggers."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER rights_guard_wait_yes {_GIVEN} BEGIN {_GO}; END")
        op.execute(
            "CREATE TRIGGER rights_message_withdrawn AFTER UPDATE OF withdrawn_us ON message FOR EACH ROW "
            "WHEN (NEW.withdrawn_us IS NOT NULL AND NEW.guard IS NOT NULL) "
            "BEGIN UPDATE message SET guard = NULL WHERE id = NEW.id; END"
        )
        return
    # They write with their owner's rights: who may write what they look at need not be able to write the other.
    for name, body in (("word", f"{_GO}; RETURN NULL;"), ("withdrawn", "NEW.guard := NULL; RETURN NEW;")):
        op.execute(
            f"CREATE FUNCTION rights_guard_{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            f"SET search_path = public, pg_temp AS $$ BEGIN {body} END $$"
        )
    op.execute(f"CREATE TRIGGER rights_guard_wait_yes {_GIVEN} EXECUTE FUNCTION rights_guard_word()")
    op.execute(
        "CREATE TRIGGER rights_message_withdrawn BEFORE UPDATE OF withdrawn_us ON message FOR EACH ROW "
        "WHEN (NEW.withdrawn_us IS NOT NULL) EXECUTE FUNCTION rights_guard_withdrawn()"
    )
