"""`kulanz law contact`: may somebody be contacted at an instant, and if not, why."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import numpy as np
import typer
from rich.table import Table

from kulanz.cli.law import words
from kulanz.cli.output import console, print_json
from kulanz.kernel.errors import InputError
from kulanz.law import contact as law
from kulanz.law.vetoes import Veto, VetoCode

_ZONES = {"DE": "Europe/Berlin", "AT": "Europe/Vienna", "CH": "Europe/Zurich", "UK": "Europe/London"}


def contact(
    at: Annotated[str, typer.Option(help="Local time, e.g. 2026-12-25T10:00.")],
    jurisdiction: Annotated[str, typer.Option(help="DE, AT, CH, UK or US.")] = "DE",
    postal_code: Annotated[str, typer.Option(help="Finds the region, for its holidays.")] = "",
    timezone: Annotated[str, typer.Option(help="IANA name; needed for the US.")] = "",
    last: Annotated[str, typer.Option(help="Local time of the last contact.")] = "",
    contacts_7d: Annotated[int, typer.Option(min=0, help="Contacts in the last 7 days.")] = 0,
    channel: Annotated[str, typer.Option(help="email, sms, letter, call ...")] = "email",
    last_talk: Annotated[str, typer.Option(help="Local time of the last talk, for calls.")] = "",
    calls_7d: Annotated[int, typer.Option(min=0, help="Calls in the last 7 days.")] = 0,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Hours, Sundays, holidays and caps for one contact. An aid, not legal advice."""
    pack = words.pack_of(jurisdiction)
    zone = _zone(jurisdiction, timezone)
    moment = _local(at, zone, "--at")
    region = law.region_of_postal_code(jurisdiction, postal_code) if postal_code else None
    where = f"{jurisdiction.upper()}-{region}" if region else None
    before = _local(last, zone, "--last") if last else None
    found: list[Veto | None] = [
        law.cap_veto(pack, before, contacts_7d, moment),
        law.may_send(pack, moment, zone.key, where),
    ]
    if channel == "call" and not _call_ok(moment, zone, last_talk, calls_7d, jurisdiction):
        found.append(
            Veto(VetoCode.TOO_MANY, pack.calls[-1].source, (("limit", str(pack.calls[-1].per_7_days)),))
        )
    vetoes = [veto for veto in found if veto is not None]
    if as_json:
        rows = [
            {"code": v.code, "text_de": v.sentence("de"), "text_en": v.sentence("en"), "source": v.source}
            for v in vetoes
        ]
        print_json({"allowed": not vetoes, "at": moment, "region": where, "vetoes": rows})
        return
    if not vetoes:
        console.print(f"{moment:%A %Y-%m-%d %H:%M}: [bold]allowed[/bold].")
        return
    table = Table("Reason", "In words", "Source")
    for veto in vetoes:
        table.add_row(veto.code.value, veto.sentence("en"), veto.source)
    console.print(table)


def _call_ok(moment: datetime, zone: ZoneInfo, last_talk: str, calls: int, jurisdiction: str) -> bool:
    talked = int(_local(last_talk, zone, "--last-talk").timestamp()) if last_talk else 0
    allowed = law.call_ok(
        words.pack_of(jurisdiction),
        np.array([talked], np.int64),
        np.array([calls], np.int16),
        np.array([int(moment.timestamp())], np.int64),
    )
    return bool(allowed[0, 0])


def _zone(jurisdiction: str, timezone: str) -> ZoneInfo:
    name = timezone or _ZONES.get(jurisdiction.upper(), "")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError("--timezone: name the customer's own, such as America/New_York.") from None


def _local(text: str, zone: ZoneInfo, option: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise InputError(f"{option}: {text!r} is not a local time such as 2026-12-25T10:00.") from None
