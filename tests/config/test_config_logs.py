"""Errors are written down with their place and kind, never with what a database or a person said."""

import io
import logging
from collections.abc import Iterator

import pytest
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from kulanz.claims.models import Case, Customer
from kulanz.config.logs import configure
from kulanz.payments import links
from kulanz.portal.logs import redact


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of its own with the handler that the settings describe."""
    line = configure(debug=False)["formatters"]["line"]
    make = import_string(line["()"]) if isinstance(line["()"], str) else line["()"]
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(make(processors=line["processors"], foreign_pre_chain=line["foreign_pre_chain"]))
    logger = logging.getLogger("kulanz.tests.written")
    logger.addHandler(handler)
    yield logger, written
    logger.removeHandler(handler)


def test_a_row_that_the_database_refuses_is_not_quoted(creditor, make_case, log) -> None:
    """PostgreSQL tells the whole row of a constraint that was broken."""
    logger, written = log
    case: Case = make_case("KD-8812-XYLO", name="Quirina Zwetschgenmus")
    try:
        with transaction.atomic():
            again = Customer.objects.get(id=case.customer_id)
            Customer.objects.create(creditor=creditor, number=again.number, name=again.name)
    except IntegrityError:
        logger.exception("not kept")
    said = written.getvalue()
    assert "django.db.utils.IntegrityError" in said
    assert "test_config_logs.py" in said
    assert "XYLO" not in said
    assert "Quirina" not in said


def test_what_led_to_an_error_is_told_and_an_operator_reads_what_is_missing(log) -> None:
    logger, written = log
    name = "Qui" + "rina"
    try:
        try:
            int(name)
        except ValueError as error:
            raise ModuleNotFoundError("No module named 'pango'") from error
    except ModuleNotFoundError:
        logger.exception("not made")
    said = written.getvalue()
    assert said.index("builtins.ValueError") < said.index(
        "builtins.ModuleNotFoundError: No module named 'pango'"
    )
    assert name not in said


@pytest.mark.parametrize("link", [1, 2**24, 2**39])
@pytest.mark.parametrize(
    "around", ["/desk/?next=/p/{}/", "%2Fp%2F{}%2F", "token={}", "{}.evil.example", "AA{}"]
)
def test_a_token_is_taken_out_wherever_it_stands(link: int, around: str) -> None:
    token = links.token(link)
    for written in (token, token.lower()):
        said = redact(around.format(written))
        assert not any(written[start : start + 16] in said for start in range(17))
        assert "<token>" in said


def test_other_words_stay_as_they_are() -> None:
    for text in ("AAAA", "Message-ID <" + "ab12" * 10 + "@lindenhof.example>", "/desk/lindenhof/cases/1/"):
        assert redact(text) == text
