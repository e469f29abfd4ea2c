"""The ways to pay of a journey's step travel on the links of its messages."""

from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kulanz.cli.commands import app
from kulanz.kernel.errors import InputError
from kulanz.payments.models import PaymentLink
from kulanz.strategy import journeys, runs
from kulanz.strategy.journeys import JourneySpec, Stage
from kulanz.tenancy.models import Creditor

TODAY = date(2026, 3, 3)


def with_methods(spec: JourneySpec, **methods: tuple[str, ...]) -> JourneySpec:
    stages = tuple(replace(stage, methods=methods.get(stage.name, ())) for stage in spec.stages)
    return replace(spec, slug="own", stages=stages)


@pytest.fixture
def own(creditor: Creditor) -> JourneySpec:
    spec = with_methods(journeys.built_in("standard", ("email",)), reminder_1=("transfer",))
    journeys.activate(creditor, spec)
    return spec


def test_each_message_links_to_the_ways_of_its_step(own: JourneySpec, make_case) -> None:
    friendly = make_case("K1", 10_000, TODAY + timedelta(days=2))
    reminded = make_case("K2", 10_000, TODAY - timedelta(days=6))
    assert runs.run(seed=1).messages == 2
    found = {link.case_id: link.methods for link in PaymentLink.objects.all()}
    assert found == {friendly.id: "", reminded.id: "transfer"}


def test_the_set_survives_storing(own: JourneySpec) -> None:
    assert journeys.spec_of(journeys.active()) == own


def test_a_way_that_the_creditor_does_not_have_is_refused_and_nothing_changes(own, creditor) -> None:
    strange = with_methods(own, final_notice=("transfer", "shells"))
    with pytest.raises(InputError, match=r"final_notice: .* cannot be paid by shells\. Possible: .*transfer"):
        journeys.activate(creditor, strange)
    assert journeys.spec_of(journeys.active()) == own


def test_without_an_account_transfer_is_strange_too(own, creditor) -> None:
    creditor.iban = ""
    with pytest.raises(InputError, match="cannot be paid by transfer"):
        journeys.activate(creditor, own)


def test_a_way_is_named_once() -> None:
    with pytest.raises(InputError, match="once"):
        Stage("odd", 0, hand_over=True, methods=("transfer", "transfer"))


def test_a_journey_from_a_file_by_command(creditor, tmp_path: Path) -> None:
    text = (files("kulanz.strategy") / "journeys" / "standard.toml").read_text("utf-8")
    changed = text.replace('name = "reminder_1"', 'name = "reminder_1"\nmethods = ["transfer"]')
    file = tmp_path / "own.toml"
    file.write_text(changed.replace('slug = "standard"', 'slug = "own"'), "utf-8")
    result = CliRunner().invoke(app, ["creditor", "journey", creditor.slug, str(file), "--json"])
    assert result.exit_code == 0, result.output
    assert journeys.active().slug == "own"
    assert journeys.spec_of(journeys.active()).stage("reminder_1").methods == ("transfer",)


@pytest.mark.parametrize("text", ["not = [toml", "", 'slug = "x"', 'slug = "x"\n[[stages]]\nnmae = "y"'])
def test_what_is_no_journey_is_said_in_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match="not a journey"):
        journeys.parse(text, ("email",))
