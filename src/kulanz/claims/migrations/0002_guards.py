from django.db import migrations

from kulanz.claims.guards import LEDGER_GUARDS


class Migration(migrations.Migration):
    dependencies = [("claims", "0001_initial")]
    operations = [
        migrations.RunPython(
            lambda apps, schema: LEDGER_GUARDS.install(schema.connection),
            lambda apps, schema: LEDGER_GUARDS.remove(schema.connection),
        )
    ]
