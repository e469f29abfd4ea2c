"""How what a message demands is made up, in one sentence each: ground, interest and costs."""

from collections.abc import Collection

from kulanz.claims.account import StatementOfAccount
from kulanz.claims.models import COSTS, Account, Claim
from kulanz.outreach.values import Words

_NONE = {"de": "keine", "en": "none"}
_CONTRACT = {"de": "Vertrag vom", "en": "contract of"}
_SETTLED = {"de": "davon schon ausgeglichen", "en": "already settled of this"}


def ground(case_id: int, numbers: Collection[str], words: Words) -> str:
    """Number, date and subject of the contract behind each claim; empty where a subject is not known."""
    claims = Claim.objects.filter(case_id=case_id, number__in=numbers).order_by("due_date", "id")
    rows = list(claims.values_list("number", "product", "contract_date"))
    if not all(product.strip() for _, product, _ in rows):
        return ""
    contract = _CONTRACT[words.language]
    return "; ".join(f"{number}, {contract} {words.day(day)} ({product})" for number, product, day in rows)


def interest(account: StatementOfAccount | None, words: Words) -> str:
    """Base amount, rate and period of every stretch, or none; empty where the law's tables lack a rate of it."""
    total = account.sums.get(Account.INTEREST, 0) if account else 0
    if account is None or not total:
        return _NONE[words.language]
    stretches = []
    for each in account.interest:
        if each.accrual is None:
            return ""
        stretches += [
            f"{words.money(row.principal)}: {words.percent(row.rate)}, {words.day(row.start)} – {words.day(row.end)}"
            for row in each.accrual.rows
        ]
    if not stretches:
        return ""
    charged = sum(each.charged for each in account.interest)
    return f"{words.money(total)} ({'; '.join(stretches)}{_settled(charged - total, words)})"


def costs(account: StatementOfAccount | None, words: Words) -> str:
    """Kind, amount and cause of each cost of which something is open, or none; empty where a cause is not known."""
    if account is None:
        return _NONE[words.language]
    unpaid = {name: account.sums[name] for name in COSTS if account.sums.get(name, 0) > 0}
    lines = [line for line in account.lines if line.account in unpaid and line.amount > 0]
    if not all(line.basis for line in lines):
        return ""
    told = [
        f"{words.money(line.amount)}: {' '.join(filter(None, (line.basis.text(words.language), line.formula)))}"
        for line in lines
        if line.basis
    ]
    settled = sum(line.amount for line in lines) - sum(unpaid.values())
    return f"{'; '.join(told)}{_settled(settled, words)}" if told else _NONE[words.language]


def _settled(minor: int, words: Words) -> str:
    return f"; {_SETTLED[words.language]}: {words.money(minor)}" if minor > 0 else ""
