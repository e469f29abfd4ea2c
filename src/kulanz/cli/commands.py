"""Every command of `kulanz` in one place."""

import typer

from kulanz.cli import brand, customers, demo, intake, law, ledger, payments, setup, strategy

app = typer.Typer(
    name="kulanz",
    help="Gets open invoices paid early, cheaply and kindly.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("demo")(demo.demo)
app.command("serve")(setup.serve)
app.command("migrate")(setup.migrate)
app.command("worker")(setup.worker)
app.command("import")(intake.import_)
app.command("run")(strategy.run)
app.add_typer(setup.creditors, name="creditor")
app.add_typer(brand.app, name="brand")
app.add_typer(customers.app, name="customer")
app.add_typer(setup.users, name="user")
app.add_typer(ledger.app, name="ledger")
app.add_typer(payments.app, name="payment")
app.add_typer(law.app, name="law")
