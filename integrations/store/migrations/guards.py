"""Triggers that keep a row as it was written: the audit may gain a place and a seal, once, and never lose a row."""

from sqlalchemy import Connection, text

# The columns of an act. What is not among them (place, seal) is given once, by the sealer.
WRITTEN = ("id", "at", "who", "act", "subject", "details")

_SQLITE = (
    """CREATE TRIGGER audit_stays BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    f"""CREATE TRIGGER audit_is_sealed_once BEFORE UPDATE ON audit
    WHEN OLD.place IS NOT NULL OR NEW.place IS NULL OR NEW.seal = ''
        OR {" OR ".join(f"OLD.{c} IS NOT NEW.{c}" for c in WRITTEN)}
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    # INSERT OR REPLACE deletes without asking the trigger above.
    """CREATE TRIGGER audit_is_new BEFORE INSERT ON audit
    WHEN NEW.place IS NOT NULL OR NEW.seal <> '' OR EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
)

_POSTGRESQL = (
    f"""CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            IF NEW.place IS NULL AND NEW.seal = '' THEN RETURN NEW; END IF;
        ELSIF TG_OP = 'UPDATE' THEN
            IF OLD.place IS NULL AND NEW.place IS NOT NULL AND NEW.seal <> ''
                AND {" AND ".join(f"OLD.{c}::text IS NOT DISTINCT FROM NEW.{c}::text" for c in WRITTEN)}
            THEN RETURN NEW; END IF;
        END IF;
        RAISE EXCEPTION 'the audit is append-only'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'audit_is_append_only';
    END $$""",
    """CREATE TRIGGER audit_guard BEFORE INSERT OR UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_guard()""",
    """CREATE TRIGGER audit_guard_whole BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_guard()""",
)


def guard_audit(connection: Connection) -> None:
    """Create the triggers on the table `audit`."""
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.execute(text(statement.replace(":", "\\:")))
