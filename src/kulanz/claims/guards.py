"""The ledger is append-only and balanced, and the database says so.

Postings are written first (their foreign key to the journal is deferred), the journal row last: its trigger checks
that its case is its creditor's and that it has at least two postings, all of its case and creditor and on claims of
that case, that sum to zero. A posting for a journal that exists is refused, and so is taking away a claim with
postings. Because of these checks, which look at all rows of a statement at once on PostgreSQL, a journal has no foreign
key to its creditor and a posting none to creditor, case and claim.
"""

from kulanz.kernel.guards import Guards

_TABLES = ("claims_journal", "claims_posting")
_KEPT = ("id", "creditor_id", "key", "kind", "case_id", "value_date", "booked_at", "cause", "details")
"""Columns of a journal that never change; the sealer fills `sequence` and `digest` once."""
_NEW, _OLD = (", ".join(f"{row}.{name}" for name in _KEPT) for row in ("NEW", "OLD"))
_CHANGED = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in _KEPT)
_UNBALANCED = """(SELECT COUNT(*) < 2 OR SUM(p.amount) <> 0
  OR SUM(CASE WHEN p.case_id <> NEW.case_id OR p.creditor_id <> NEW.creditor_id
    OR p.claim_id IS NOT NULL AND c.case_id IS NOT NEW.case_id THEN 1 ELSE 0 END) <> 0
  OR NOT EXISTS (SELECT 1 FROM claims_case WHERE id = NEW.case_id AND creditor_id = NEW.creditor_id)
  FROM claims_posting p LEFT JOIN claims_claim c ON c.id = p.claim_id WHERE p.journal_id = NEW.id)"""
_IN_USE = "EXISTS (SELECT 1 FROM claims_posting WHERE case_id = OLD.case_id AND claim_id = OLD.id)"

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
        f"""CREATE TRIGGER claims_claim_no_delete BEFORE DELETE ON claims_claim WHEN {_IN_USE}
        BEGIN SELECT RAISE(ABORT, 'this claim has postings'); END""",
        f"""CREATE TRIGGER claims_claim_no_move BEFORE UPDATE OF id, case_id ON claims_claim
        WHEN (OLD.id <> NEW.id OR OLD.case_id <> NEW.case_id) AND {_IN_USE}
        BEGIN SELECT RAISE(ABORT, 'this claim has postings'); END""",
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
            SELECT 1 FROM added j LEFT JOIN claims_case k ON k.id = j.case_id LEFT JOIN LATERAL (
              SELECT COUNT(*) AS lines, SUM(p.amount) AS total,
                bool_or(p.case_id <> j.case_id OR p.creditor_id <> j.creditor_id
                  OR p.claim_id IS NOT NULL AND c.case_id IS DISTINCT FROM j.case_id) AS stray
              FROM claims_posting p LEFT JOIN claims_claim c ON c.id = p.claim_id WHERE p.journal_id = j.id
            ) p ON TRUE
            WHERE p.lines < 2 OR p.total <> 0 OR p.stray OR k.creditor_id IS DISTINCT FROM j.creditor_id
          ) THEN
            RAISE EXCEPTION 'a journal must balance' USING ERRCODE = 'integrity_constraint_violation';
          END IF;
          RETURN NULL;
        END $$ LANGUAGE plpgsql SET enable_seqscan = off""",
        f"""CREATE FUNCTION claims_claim_refuse() RETURNS trigger AS $$
        BEGIN
          IF {_IN_USE} THEN
            RAISE EXCEPTION 'this claim has postings' USING ERRCODE = 'integrity_constraint_violation';
          END IF;
          RETURN COALESCE(NEW, OLD);
        END $$ LANGUAGE plpgsql""",
        """CREATE FUNCTION claims_posting_closed() RETURNS trigger AS $$
        BEGIN
          IF EXISTS (SELECT 1 FROM claims_journal WHERE id IN (SELECT journal_id FROM added)) THEN
            RAISE EXCEPTION 'this journal is closed' USING ERRCODE = 'integrity_constraint_violation';
          END IF;
          RETURN NULL;
        END $$ LANGUAGE plpgsql SET enable_seqscan = off""",
        """CREATE TRIGGER claims_journal_balanced AFTER INSERT ON claims_journal
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION claims_journal_balanced()""",
        """CREATE TRIGGER claims_posting_closed AFTER INSERT ON claims_posting
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION claims_posting_closed()""",
        """CREATE TRIGGER claims_claim_kept BEFORE DELETE ON claims_claim
        FOR EACH ROW EXECUTE FUNCTION claims_claim_refuse()""",
        """CREATE TRIGGER claims_claim_stays BEFORE UPDATE OF id, case_id ON claims_claim
        FOR EACH ROW WHEN (OLD.id <> NEW.id OR OLD.case_id <> NEW.case_id)
        EXECUTE FUNCTION claims_claim_refuse()""",
        *(
            f"""CREATE TRIGGER {table}_fixed BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION claims_ledger_refuse()"""
            for table in _TABLES
        ),
    ),
    remove_sqlite=(
        "DROP TRIGGER IF EXISTS claims_claim_no_delete",
        "DROP TRIGGER IF EXISTS claims_claim_no_move",
        "DROP TRIGGER IF EXISTS claims_journal_balanced",
        "DROP TRIGGER IF EXISTS claims_posting_closed",
        *(f"DROP TRIGGER IF EXISTS {table}_no_{verb}" for table in _TABLES for verb in ("update", "delete")),
    ),
    remove_postgres=(
        "DROP TRIGGER IF EXISTS claims_claim_kept ON claims_claim",
        "DROP TRIGGER IF EXISTS claims_claim_stays ON claims_claim",
        "DROP TRIGGER IF EXISTS claims_journal_balanced ON claims_journal",
        "DROP TRIGGER IF EXISTS claims_posting_closed ON claims_posting",
        *(f"DROP TRIGGER IF EXISTS {table}_fixed ON {table}" for table in _TABLES),
        "DROP FUNCTION IF EXISTS claims_claim_refuse()",
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
