"""A made-up portfolio: consumers and their invoices as the CSV file a shop would hand over."""

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

HEADER = (
    "Rechnungsnummer",
    "Kundennummer",
    "Name",
    "E-Mail",
    "PLZ",
    "Sprache",
    "Rechnungsdatum",
    "Fälligkeitsdatum",
    "Betrag",
    "Währung",
    "Produkt",
)
TERM_DAYS = 14
_FIRST = (
    "Anna", "Ben", "Carla", "David", "Elif", "Finn", "Greta", "Hannes", "Ida", "Jonas", "Kaya", "Leon",
    "Mia", "Noah", "Olga", "Paul", "Romy", "Samir", "Tilda", "Umut", "Vera", "Wim", "Yara", "Zoe",
)  # fmt: skip
_LAST = (
    "Ahorn", "Birke", "Clausen", "Dorn", "Eiche", "Falke", "Garten", "Hügel", "Insel", "Kamp", "Linde",
    "Morgen", "Nordhoff", "Ostwald", "Pappel", "Quell", "Rosenau", "Sommer", "Tanne", "Ufer", "Vogt",
    "Weide", "Ziegler",
)  # fmt: skip
_POSTAL = ("10115", "20095", "22303", "28195", "30159", "40213", "44135", "50667", "60311", "70173", "80331",
           "90402", "01067", "04109", "99084", "18055", "39104", "66111", "24103", "55116")  # fmt: skip
_PRODUCTS = ("Haushalt", "Kleidung", "Garten", "Bücher", "Elektronik", "Möbel")


@dataclass(frozen=True, slots=True)
class Size:
    """How much to make up; invoices are dated over the first `days` days."""

    customers: int = 5000
    invoices: int = 8000
    days: int = 78


def generate(seed: int, first_day: date, size: Size | None = None) -> str:
    """The portfolio as text of a CSV file (semicolons, decimal comma), ordered by invoice date.

    Every customer has an invoice; the others fall on customers at random. Amounts are log-normal around 60 EUR, as
    retail baskets are. Names are common words, addresses are of the reserved domain customers.example.
    """
    size = size or Size()
    draw = np.random.Generator(np.random.Philox(key=seed))
    extra = draw.integers(0, size.customers, max(0, size.invoices - size.customers))
    owner = np.concatenate([np.arange(size.customers), extra])[: size.invoices]
    offset = np.sort(draw.integers(0, max(1, size.days), len(owner)))
    owner = draw.permutation(owner)
    cents = np.clip(np.round(np.exp(draw.normal(np.log(6000), 0.9, len(owner)))), 500, 250_000).astype(int)
    person = [_person(draw, number) for number in range(size.customers)]
    product = draw.integers(0, len(_PRODUCTS), len(owner))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(HEADER)
    for index, customer in enumerate(owner.tolist()):
        day = first_day + timedelta(days=int(offset[index]))
        writer.writerow(
            (
                f"R{index + 1:06d}",
                *person[customer],
                day.isoformat(),
                (day + timedelta(days=TERM_DAYS)).isoformat(),
                f"{cents[index] // 100},{cents[index] % 100:02d}",
                "EUR",
                _PRODUCTS[product[index]],
            )
        )
    return out.getvalue()


def _person(draw: np.random.Generator, number: int) -> tuple[str, str, str, str, str]:
    first = _FIRST[draw.integers(len(_FIRST))]
    last = _LAST[draw.integers(len(_LAST))]
    customer = f"K{number + 1:05d}"
    language = "en" if draw.random() < 0.12 else "de"
    postal = _POSTAL[draw.integers(len(_POSTAL))]
    return customer, f"{first} {last}", f"{customer.lower()}@customers.example", postal, language
