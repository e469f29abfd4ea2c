"""The ledger is append-only and balanced, and the database says so.

Postings are written first (their foreign key to the journal is deferred), the journal row last: its trigger checks
that there are at least two postings, of its own case and creditor, that sum to zero. A posting for a journal that
exists is refused. On PostgreSQL the triggers look at all rows of a statement at once; because a posting belongs to its
journal's case and creditor by that check, it has no foreign keys of its own to them.
"""

from kulanz.kernel.guards import Guards

_TABLES = ("claims_journal", "claims_posting")
_KEPT = ("id", "creditor_id", "key", "kind", "case_id", "value_date", "booked_at", "cause", "details")
"""Columns of a journal that never change; the sealer fills `sequence` and `digest` once."""
_NEW, _OLD = (", ".join(f"{row}.{name}" for name in _KEPT) for row in ("NEW", "OLD"))
_CHANGED = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in _KEPT)
_UNBALANCED = """(SELECT COUNT(*) < 2 OR SUM(amount) <> 0
  OR SUM(CASE WHEN case_id <> NEW.case_id OR creditor_id <> NEW.creditor_id THEN 1 ELSE 0 END) <> 0
  FROM claims_posting WHERE journal_id = NEW.id)"""

LEDGER_GUARDS = Guards(
    sqlite=(
        f"""CREATE TRIGGER claims_journal_balanced BEFORE INSERT ON claims_journal WHEN {_UNBALANCED}
        BEGIN SELECT RAISE(ABORT, 'a journal must balance'); END""",
        """CREATE TRIGGER claims_posting_closed BEFORE INSERT ON claims_posting
        WHEN EXISTS (SELECT 1 FROM claims_journal WHERE id = NEW.journal_id)
        BEGIN SELECT RAISE(ABORT, 'this journal is closed'); END""",
        f"""CREATE TRIGGER claims_journal_no_update BEFORE UPDATE ON claims_journal
        WHEN OLD.sequence IS NOT NULL OR {_CHANGED}
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        *(
            f"""CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"""
            for table, verb in (
                ("claims_journal", "delete"),
                ("claims_posting", "update"),
                ("claims_posting", "delete"),
            )
        ),
    ),
    postgres=(
        f"""CREATE FUNCTION claims_ledger_refuse() RETURNS trigger AS $$
        BEGIN
          IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'claims_journal' THEN
            IF OLD.sequence IS NULL AND ({_NEW}) IS NOT DISTINCT FROM ({_OLD}) THEN
              RETURN NEW;
            END IF;
          END IF;
          RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'integrity_constraint_violation';
        END $$ LANGUAGE plpgsql""",
        """CREATE FUNCTION claims_journal_balanced() RETURNS trigger AS $$
        BEGIN
          IF EXISTS (
            SELECT 1 FROM added j LEFT JOIN LATERAL (
              SELECT COUNT(*) AS lines, SUM(amount) AS total,
                bool_or(case_id <> j.case_id OR creditor_id <> j.creditor_id) AS stray
              FROM claims_posting WHERE journal_id = j.id
            ) p ON TRUE WHERE p.lines < 2 OR p.total <> 0 OR p.stray
          ) THEN
            RAISE EXCEPTION 'a journal must balance' USING ERRCODE = 'integrity_constraint_violation';
          END IF;
          RETURN NULL;
        END $$ LANGUAGE plpgsql""",
        """CREATE FUNCTION claims_posting_closed() RETURNS trigger AS $$
        BEGIN
          IF EXISTS (SELECT 1 FROM claims_journal WHERE id IN (SELECT journal_id FROM added)) THEN
            RAISE EXCEPTION 'this journal is closed' USING ERRCODE = 'integrity_constraint_violation';
          END IF;
          RETURN NULL;
        END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER claims_journal_balanced AFTER INSERT ON claims_journal
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION claims_journal_balanced()""",
        """CREATE TRIGGER claims_posting_closed AFTER INSERT ON claims_posting
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION claims_posting_closed()""",
        *(
            f"""CREATE TRIGGER {table}_fixed BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION claims_ledger_refuse()"""
            for table in _TABLES
        ),
    ),
    remove_sqlite=(
        "DROP TRIGGER IF EXISTS claims_journal_balanced",
        "DROP TRIGGER IF EXISTS claims_posting_closed",
        *(f"DROP TRIGGER IF EXISTS {table}_no_{verb}" for table in _TABLES for verb in ("update", "delete")),
    ),
    remove_postgres=(
        "DROP TRIGGER IF EXISTS claims_journal_balanced ON claims_journal",
        "DROP TRIGGER IF EXISTS claims_posting_closed ON claims_posting",
        *(f"DROP TRIGGER IF EXISTS {table}_fixed ON {table}" for table in _TABLES),
        "DROP FUNCTION IF EXISTS claims_journal_balanced()",
        "DROP FUNCTION IF EXISTS claims_posting_closed()",
        "DROP FUNCTION IF EXISTS claims_ledger_refuse()",
    ),
)

POSTING_FUNCTION = Guards(
    sqlite=(),
    postgres=(
        """CREATE FUNCTION claims_post(
          owner bigint, cause_key text, kind text, of_case bigint, day date, at timestamptz, caused_by text,
          worked_out jsonb, claims bigint[], accounts text[], amounts bigint[], bases text[]
        ) RETURNS bigint AS $$
        DECLARE journal bigint;
        BEGIN
          IF EXISTS (SELECT 1 FROM claims_journal j WHERE j.creditor_id = owner AND j.key = cause_key) THEN
            RETURN NULL;
          END IF;
          journal := nextval('claims_journal_id_seq');
          INSERT INTO claims_posting (creditor_id, journal_id, case_id, claim_id, account, amount, basis)
          SELECT owner, journal, of_case, line.* FROM unnest(claims, accounts, amounts, bases) AS line;
          INSERT INTO claims_journal (id, creditor_id, key, kind, case_id, value_date, booked_at, cause, details)
          VALUES (journal, owner, cause_key, kind, of_case, day, at, caused_by, worked_out);
          RETURN journal;
        END $$ LANGUAGE plpgsql""",
    ),
    remove_sqlite=(),
    remove_postgres=("DROP FUNCTION IF EXISTS claims_post",),
)
"""`claims.ledger.post` on PostgreSQL: one journal in one round trip, its plans kept by the session; NULL where the key
is there already. It only saves time: the triggers judge what it writes like everything else."""
