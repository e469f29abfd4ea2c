"""Events are appended and numbered once; nothing else ever happens to them."""

from kulanz.kernel.guards import Guards

EVENT_GUARDS = Guards(
    sqlite=(
        """CREATE TRIGGER events_event_fixed BEFORE UPDATE ON events_event
        WHEN OLD.sequence IS NOT NULL OR NEW.id IS NOT OLD.id OR NEW.creditor_id IS NOT OLD.creditor_id
          OR NEW.type IS NOT OLD.type OR NEW.subject_id IS NOT OLD.subject_id
          OR NEW.payload IS NOT OLD.payload OR NEW.at IS NOT OLD.at
        BEGIN SELECT RAISE(ABORT, 'events are never changed'); END""",
        """CREATE TRIGGER events_event_kept BEFORE DELETE ON events_event
        BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END""",
    ),
    postgres=(
        """CREATE FUNCTION events_event_refuse() RETURNS trigger AS $$
        BEGIN
          IF TG_OP = 'UPDATE' AND OLD.sequence IS NULL
             AND (NEW.id, NEW.creditor_id, NEW.type, NEW.subject_id, NEW.payload, NEW.at)
               IS NOT DISTINCT FROM (OLD.id, OLD.creditor_id, OLD.type, OLD.subject_id, OLD.payload, OLD.at) THEN
            RETURN NEW;
          END IF;
          RAISE EXCEPTION 'events are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
        END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER events_event_fixed BEFORE UPDATE OR DELETE ON events_event
        FOR EACH ROW EXECUTE FUNCTION events_event_refuse()""",
    ),
    remove_sqlite=(
        "DROP TRIGGER IF EXISTS events_event_fixed",
        "DROP TRIGGER IF EXISTS events_event_kept",
    ),
    remove_postgres=(
        "DROP TRIGGER IF EXISTS events_event_fixed ON events_event",
        "DROP FUNCTION IF EXISTS events_event_refuse()",
    ),
)
