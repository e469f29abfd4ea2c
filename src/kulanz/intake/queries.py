"""What is stored already of the claims and customers that a file names."""

import polars as pl

from kulanz.kernel.database import read_columns
from kulanz.tenancy.scope import creditor_id


def opened_claims() -> pl.DataFrame:
    """number, customer_number, due_date, currency and the amount as opened of every claim of the creditor."""
    found = read_columns(
        "SELECT c.number, cu.number AS customer_number, c.due_date, k.currency, p.amount FROM claims_claim c"
        " JOIN claims_case k ON k.id = c.case_id JOIN claims_customer cu ON cu.id = k.customer_id"
        " JOIN claims_posting p ON p.case_id = c.case_id AND p.claim_id = c.id AND p.account = 'principal'"
        " JOIN claims_journal j ON j.id = p.journal_id"
        " WHERE c.creditor_id = %s AND j.key = 'open:' || c.number",
        [creditor_id()],
    )
    text = pl.String
    schema = {"number": text, "customer_number": text, "due_date": text, "currency": text, "amount": pl.Int64}
    columns = {
        name: list(map(str, values)) if schema[name] == text else values for name, values in found.items()
    }
    return pl.DataFrame(columns, schema=schema).with_columns(pl.col("due_date").str.to_date("%Y-%m-%d"))


def customers_without_email() -> dict[str, int]:
    """Number -> id of the creditor's customers who have no e-mail address, usable or not."""
    found = read_columns(
        "SELECT cu.number, cu.id FROM claims_customer cu WHERE cu.creditor_id = %s AND NOT EXISTS"
        " (SELECT 1 FROM contact_contactpoint p WHERE p.customer_id = cu.id AND p.channel = 'email')",
        [creditor_id()],
    )
    return dict(zip(found["number"].tolist(), found["id"].tolist(), strict=True))
