"""Why something may not be sent: codes, their sentences in German and English, and each rule's source."""

from dataclasses import dataclass
from enum import StrEnum

HOUSE = "House rule"


class VetoCode(StrEnum):
    """Reasons that stop a contact. Members keep their order: `number` is stored with decisions."""

    OUTSIDE_HOURS = "outside_hours"
    SUNDAY = "sunday"
    PUBLIC_HOLIDAY = "public_holiday"
    TOO_SOON = "too_soon"
    TOO_MANY = "too_many"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    NO_CONTACT_POINT = "no_contact_point"
    BOUNCED = "bounced"
    DISPUTED = "disputed"
    ON_HOLD = "on_hold"
    MINOR = "minor"
    INSOLVENCY = "insolvency"
    REPRESENTED = "represented"
    DECEASED = "deceased"
    TIME_BARRED = "time_barred"
    NOT_IN_STAGE = "not_in_stage"
    CHANNEL_OFF = "channel_off"
    NOTHING_OPEN = "nothing_open"
    CUSTOMER_CONTACTED = "customer_contacted"
    MESSAGE_PENDING = "message_pending"
    AMOUNT_TOO_SMALL = "amount_too_small"
    RETURNING = "returning"
    CALLED_ENOUGH = "called_enough"
    OFFER_LIMITS = "offer_limits"

    @property
    def number(self) -> int:
        """1 and up, for int8 code arrays in which 0 means allowed."""
        return _NUMBER[self]

    @staticmethod
    def numbered(number: int) -> "VetoCode | None":
        """The code behind an int8 array entry; None for 0. Raises IndexError for a number never given out."""
        return None if number == 0 else _IN_ORDER[number - 1]


class HoldReason(StrEnum):
    """Why a case is held; the demanding ladder stops for each of them."""

    DISPUTE = "dispute"
    HARDSHIP = "hardship"
    INSOLVENCY = "insolvency"
    REPRESENTED = "represented"
    DECEASED = "deceased"
    MINOR = "minor"
    MORATORIUM = "moratorium"
    VULNERABLE = "vulnerable"
    QUESTION = "question"
    PROMISE = "promise"
    PLAN = "plan"
    PAYMENT_PENDING = "payment_pending"
    MANUAL = "manual"


_IN_ORDER = tuple(VetoCode)
_NUMBER = {code: position for position, code in enumerate(_IN_ORDER, start=1)}

_OF_HOLD = {
    HoldReason.DISPUTE: VetoCode.DISPUTED,
    HoldReason.INSOLVENCY: VetoCode.INSOLVENCY,
    HoldReason.REPRESENTED: VetoCode.REPRESENTED,
    HoldReason.DECEASED: VetoCode.DECEASED,
    HoldReason.MINOR: VetoCode.MINOR,
}


def veto_of_hold(reason: HoldReason | str) -> VetoCode:
    """The veto that a hold causes: its own code where it has one, else `on_hold`."""
    return _OF_HOLD.get(HoldReason(reason), VetoCode.ON_HOLD)


@dataclass(frozen=True)
class Wording:
    """One reason in words: `{name}` is filled from the values of the case, else from `defaults`."""

    german: str
    english: str
    source: str = HOUSE
    defaults: tuple[tuple[str, str], ...] = ()


_WORDINGS = {
    VetoCode.OUTSIDE_HOURS: Wording(
        "Außerhalb der zulässigen Kontaktzeiten am Ort der Kundin oder des Kunden.",
        "Outside the permitted contact hours where the customer lives.",
        "Contact hours of the jurisdiction",
    ),
    VetoCode.SUNDAY: Wording("Sonntags wird niemand angeschrieben.", "Nobody is contacted on a Sunday."),
    VetoCode.PUBLIC_HOLIDAY: Wording(
        "Feiertag am Ort der Kundin oder des Kunden.", "Public holiday where the customer lives."
    ),
    VetoCode.TOO_SOON: Wording(
        "Der letzte Kontakt liegt weniger als {hours} Stunden zurück.",
        "The last contact was less than {hours} hours ago.",
        "Contact frequency of the jurisdiction",
        (("hours", "48"),),
    ),
    VetoCode.TOO_MANY: Wording(
        "In den letzten 7 Tagen gab es schon {limit} Kontakte, alle Kanäle zusammen.",
        "There were {limit} contacts within the last 7 days already, all channels together.",
        "Contact frequency of the jurisdiction",
        (("limit", "2"),),
    ),
    VetoCode.OPTED_OUT: Wording(
        "Die Kundin oder der Kunde hat diesem Kanal widersprochen.",
        "The customer has opted out of this channel.",
        "GDPR Art. 7(3) and Art. 21; 12 CFR 1006.14(h)",
    ),
    VetoCode.NO_CONSENT: Wording(
        "Für diesen Kanal fehlt die Einwilligung.",
        "Consent for this channel is missing.",
        "GDPR Art. 6 and Art. 7",
    ),
    VetoCode.NO_CONTACT_POINT: Wording(
        "Für diesen Kanal ist keine Adresse oder Nummer bekannt.",
        "No address or number is known for this channel.",
    ),
    VetoCode.BOUNCED: Wording(
        "Unter dieser Adresse oder Nummer kam die letzte Nachricht zurück.",
        "The last message to this address or number came back.",
    ),
    VetoCode.DISPUTED: Wording(
        "Die Forderung ist bestritten; erst wird der Einwand geklärt.",
        "The claim is disputed; the objection is settled first.",
    ),
    VetoCode.ON_HOLD: Wording(
        "Der Fall ruht: {reason}.", "The case is on hold: {reason}.", HOUSE, (("reason", "manual"),)
    ),
    VetoCode.MINOR: Wording(
        "Minderjährige werden nicht gemahnt; ein Mensch klärt den Fall mit der gesetzlichen Vertretung.",
        "Minors get no demands; a person settles the case with the legal guardian.",
        "Sections 106 and following BGB",
    ),
    VetoCode.INSOLVENCY: Wording(
        "Es läuft ein Insolvenzverfahren; Kontakt nur über die Verwalterin oder den Verwalter.",
        "Insolvency proceedings are open; contact goes to the administrator only.",
        "Section 87 InsO",
    ),
    VetoCode.REPRESENTED: Wording(
        "Die Kundin oder der Kunde wird vertreten; Kontakt nur über die Vertretung.",
        "The customer is represented; contact goes to the representative only.",
        "15 U.S.C. 1692c(a)(2); house rule elsewhere",
    ),
    VetoCode.DECEASED: Wording(
        "Die Kundin oder der Kunde ist verstorben; ein Mensch spricht mit den Angehörigen.",
        "The customer has died; a person talks to the family.",
    ),
    VetoCode.TIME_BARRED: Wording(
        "Die Forderung ist verjährt und wird nicht mehr angemahnt.",
        "The claim is time-barred and no longer demanded.",
        "Sections 195, 199 and 214 BGB",
    ),
    VetoCode.NOT_IN_STAGE: Wording(
        "Diese Möglichkeit gehört nicht zur jetzigen Stufe.", "This option is not part of the present stage."
    ),
    VetoCode.CHANNEL_OFF: Wording("Dieser Kanal ist abgeschaltet.", "This channel is switched off."),
    VetoCode.NOTHING_OPEN: Wording("Es ist nichts mehr offen.", "Nothing is open any more."),
    VetoCode.CUSTOMER_CONTACTED: Wording(
        "Dieselbe Kundin oder derselbe Kunde wird schon zu einem anderen Fall angeschrieben.",
        "The same customer is already being contacted about another case.",
    ),
    VetoCode.MESSAGE_PENDING: Wording(
        "Eine Nachricht zu diesem Fall ist schon unterwegs.",
        "A message about this case is already on its way.",
    ),
    VetoCode.AMOUNT_TOO_SMALL: Wording(
        "Der offene Betrag ist für diesen Schritt zu klein.", "The open amount is too small for this step."
    ),
    VetoCode.RETURNING: Wording(
        "Der Fall hat bis vor Kurzem geruht; die nächste Nachricht folgt mit etwas Abstand.",
        "The case was on hold until recently; the next message follows with some distance.",
    ),
    VetoCode.CALLED_ENOUGH: Wording(
        "Für Anrufe ist die zulässige Zahl erreicht, oder das letzte Gespräch ist zu frisch.",
        "The permitted number of calls is reached, or the last talk was too recent.",
        "Telephone contact frequency of the jurisdiction",
    ),
    VetoCode.OFFER_LIMITS: Wording(
        "Ein Angebot dieser Stufe liegt für diesen Fall außerhalb der Grenzen des Gläubigers.",
        "An offer of this stage is outside the creditor's limits for this case.",
    ),
}

_HOLD_WORDS = {
    HoldReason.DISPUTE: ("Einwand in Prüfung", "objection under review"),
    HoldReason.HARDSHIP: ("wirtschaftliche Notlage", "financial hardship"),
    HoldReason.INSOLVENCY: ("Insolvenzverfahren", "insolvency proceedings"),
    HoldReason.REPRESENTED: ("Vertretung bestellt", "a representative is appointed"),
    HoldReason.DECEASED: ("Todesfall", "the customer has died"),
    HoldReason.MINOR: ("minderjährig", "the customer is a minor"),
    HoldReason.MORATORIUM: ("gesetzliche Schonfrist", "statutory breathing space"),
    HoldReason.VULNERABLE: ("besondere Lebenslage", "the customer's situation needs care"),
    HoldReason.QUESTION: ("Nachricht noch nicht beantwortet", "the customer waits for an answer"),
    HoldReason.PROMISE: ("Zahlung zugesagt", "payment promised"),
    HoldReason.PLAN: ("Ratenplan läuft", "instalment plan running"),
    HoldReason.PAYMENT_PENDING: ("Zahlung unterwegs", "payment on its way"),
    HoldReason.MANUAL: ("von Hand angehalten", "held by hand"),
}


@dataclass(frozen=True)
class Veto:
    """One reason against one contact, with the source of the rule and the values its sentence needs."""

    code: VetoCode
    source: str
    values: tuple[tuple[str, str], ...] = ()

    def sentence(self, language: str) -> str:
        return sentence(self.code, language, **dict(self.values))


def sentence(code: VetoCode | str, language: str, **values: object) -> str:
    """The reason in words: German for `de...`, English for every other language.

    Values: `hours` for too_soon, `limit` for too_many, `reason` (a HoldReason) for on_hold. Missing ones
    take the house defaults.
    """
    german = language.lower().startswith("de")
    wording = _WORDINGS[VetoCode(code)]
    filled = {**dict(wording.defaults), **{name: str(value) for name, value in values.items()}}
    if "reason" in filled and filled["reason"] in _HOLD_WORDS:
        filled["reason"] = _HOLD_WORDS[HoldReason(filled["reason"])][0 if german else 1]
    return (wording.german if german else wording.english).format(**filled)


def source(code: VetoCode | str) -> str:
    """Where the rule behind a code comes from, where no pack says it more exactly."""
    return _WORDINGS[VetoCode(code)].source
