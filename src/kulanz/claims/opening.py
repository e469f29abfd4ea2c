"""Opening claims in bulk: customers, cases, claims, journals and events from columns."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from itertools import compress

from kulanz.claims import ledger
from kulanz.claims.models import Account, Case, Claim, Customer, Journal
from kulanz.claims.offsetting import offset_opened
from kulanz.events.log import record_many
from kulanz.kernel import clock
from kulanz.kernel.database import insert_columns, read_columns, reserve_ids
from kulanz.kernel.errors import ConflictError
from kulanz.tenancy.scope import creditor_id


@dataclass(frozen=True, slots=True)
class NewClaims:
    """One row per claim; every sequence has the same length.

    `amounts` are minor units of `currencies`; a negative amount is a credit note. Fields of the customer are taken
    from the first row in which a customer number appears and leave an existing customer as it is.
    """

    numbers: Sequence[str]
    customer_numbers: Sequence[str]
    amounts: Sequence[int]
    currencies: Sequence[str]
    contract_dates: Sequence[date]
    due_dates: Sequence[date]
    jurisdictions: Sequence[str]
    products: Sequence[str]
    customer_names: Sequence[str]
    customer_kinds: Sequence[str]
    languages: Sequence[str]
    countries: Sequence[str]
    postal_codes: Sequence[str]
    synthetic: bool = False

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, f.name)) for f in fields(self) if f.name != "synthetic"}
        if len(lengths) != 1:
            raise ValueError(f"columns of one block need one length, got {sorted(lengths)}")

    def kept(self, keep: Sequence[bool]) -> "NewClaims":
        """The rows for which `keep` is true."""
        columns = {
            f.name: list(compress(getattr(self, f.name), keep)) for f in fields(self) if f.name != "synthetic"
        }
        return NewClaims(**columns, synthetic=self.synthetic)


@dataclass(frozen=True, slots=True)
class Opened:
    """`new_customers` maps the numbers of customers that were created to their ids."""

    created: int
    existing: int
    new_customers: dict[str, int]


def open_claims(block: NewClaims) -> Opened:
    """Store the claims of a block inside the caller's transaction.

    A claim number that exists with the same content is left alone and counted as existing; with other content the
    whole block is refused with ConflictError. Claim numbers within the block must be unique. Credit that new claims
    meet, or bring, is set off at once.
    """
    known = _known_claims()
    fresh = [number not in known for number in block.numbers]
    _refuse_changed(block, known)
    new = block if all(fresh) else block.kept(fresh)
    if not new.numbers:
        return Opened(0, len(block.numbers), {})
    customers, created = _customers(new)
    customer_ids = [customers[number] for number in new.customer_numbers]
    case_ids = _cases(customer_ids, new.currencies)
    claim_ids = _claims(new, case_ids)
    _post(new, case_ids, claim_ids)
    record_many(
        "claim.opened",
        claim_ids,
        [{"case": case, "amount": amount} for case, amount in zip(case_ids, new.amounts, strict=True)],
    )
    offset_opened(case_ids, new.contract_dates)
    return Opened(len(new.numbers), len(block.numbers) - len(new.numbers), created)


def _known_claims() -> dict[str, tuple[str, str, str, int]]:
    """Number -> (customer number, due date, currency, amount as opened) of every claim of the creditor."""
    rows = read_columns(
        "SELECT c.number, cu.number AS customer, c.due_date, k.currency, p.amount FROM claims_claim c"
        " JOIN claims_case k ON k.id = c.case_id JOIN claims_customer cu ON cu.id = k.customer_id"
        " JOIN claims_posting p ON p.case_id = c.case_id AND p.claim_id = c.id AND p.account = 'principal'"
        " JOIN claims_journal j ON j.id = p.journal_id AND j.kind IN ('opened', 'credit_note')"
        " WHERE c.creditor_id = %s AND j.key = 'open:' || c.number",
        [creditor_id()],
    )
    details = zip(
        rows["customer"], map(str, rows["due_date"]), rows["currency"], rows["amount"].tolist(), strict=True
    )
    return dict(zip(rows["number"].tolist(), details, strict=True)) if len(rows["number"]) else {}


def _refuse_changed(block: NewClaims, known: dict[str, tuple[str, str, str, int]]) -> None:
    if not known:
        return
    contents = zip(
        block.customer_numbers, map(str, block.due_dates), block.currencies, block.amounts, strict=True
    )
    for number, content in zip(block.numbers, contents, strict=True):
        if number in known and tuple(known[number]) != content:
            raise ConflictError(
                f"The claim {number} exists already with another customer, due date, currency or amount. "
                "Correct it with a credit note and a new number; nothing was stored."
            )


def _customers(new: NewClaims) -> tuple[dict[str, int], dict[str, int]]:
    found = read_columns("SELECT number, id FROM claims_customer WHERE creditor_id = %s", [creditor_id()])
    ids: dict[str, int] = dict(zip(found["number"].tolist(), found["id"].tolist(), strict=True))
    first: dict[str, int] = {}
    for index, number in enumerate(new.customer_numbers):
        if number not in ids and number not in first:
            first[number] = index
    rows = list(first.values())
    fresh = dict(zip(first, reserve_ids(Customer, len(first)).tolist(), strict=True))
    if fresh:
        insert_columns(
            Customer,
            {
                "id": list(fresh.values()),
                "creditor_id": creditor_id(),
                "number": list(fresh),
                "kind": [new.customer_kinds[i] for i in rows],
                "name": [new.customer_names[i] for i in rows],
                "language": [new.languages[i] for i in rows],
                "country": [new.countries[i] for i in rows],
                "postal_code": [new.postal_codes[i] for i in rows],
                "birth_date": None,
                "ladder_only": False,
                "synthetic": new.synthetic,
                "created_at": clock.now(),
            },
        )
    return ids | fresh, fresh


def _cases(customer_ids: Sequence[int], currencies: Sequence[str]) -> list[int]:
    found = read_columns(
        "SELECT customer_id, currency, id FROM claims_case WHERE creditor_id = %s", [creditor_id()]
    )
    keys = zip(found["customer_id"].tolist(), found["currency"].tolist(), strict=True)
    ids: dict[tuple[int, str], int] = dict(zip(keys, found["id"].tolist(), strict=True))
    wanted = list(zip(customer_ids, currencies, strict=True))
    fresh = list(dict.fromkeys(key for key in wanted if key not in ids))
    if fresh:
        new_ids = reserve_ids(Case, len(fresh)).tolist()
        insert_columns(
            Case,
            {
                "id": new_ids,
                "creditor_id": creditor_id(),
                "customer_id": [customer for customer, _ in fresh],
                "currency": [currency for _, currency in fresh],
                "opened_at": clock.now(),
            },
        )
        ids |= dict(zip(fresh, new_ids, strict=True))
    return [ids[key] for key in wanted]


def _claims(new: NewClaims, case_ids: list[int]) -> list[int]:
    ids: list[int] = reserve_ids(Claim, len(new.numbers)).tolist()
    insert_columns(
        Claim,
        {
            "id": ids,
            "creditor_id": creditor_id(),
            "case_id": case_ids,
            "number": list(new.numbers),
            "kind": ["invoice" if amount >= 0 else "credit_note" for amount in new.amounts],
            "jurisdiction": list(new.jurisdictions),
            "contract_date": list(new.contract_dates),
            "due_date": list(new.due_dates),
            "performed_on": None,
            "default_from": None,
            "default_cause": "",
            "product": list(new.products),
        },
    )
    return ids


def _post(new: NewClaims, case_ids: list[int], claim_ids: list[int]) -> None:
    kinds = [Journal.Kind.OPENED.value if a >= 0 else Journal.Kind.CREDIT_NOTE.value for a in new.amounts]
    ledger.post_block(
        ledger.EntryBlock(
            keys=[f"open:{number}" for number in new.numbers],
            kinds=kinds,
            case_ids=case_ids,
            claim_ids=claim_ids,
            value_dates=new.contract_dates,
            debit_account=Account.PRINCIPAL,
            credit_account=Account.INVOICED,
            amounts=new.amounts,
            bases=["principal" if amount >= 0 else "credit_note" for amount in new.amounts],
        )
    )
