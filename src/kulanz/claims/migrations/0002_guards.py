from django.db import migrations

from kulanz.claims.guards import LEDGER_GUARDS, POSTING_FUNCTION
from kulanz.kernel.guards import Guards


def _kept(guards: Guards) -> migrations.RunPython:
    return migrations.RunPython(
        lambda apps, schema: guards.install(schema.connection),
        lambda apps, schema: guards.remove(schema.connection),
    )


class Migration(migrations.Migration):
    dependencies = [("claims", "0001_initial")]
    operations = [_kept(LEDGER_GUARDS), _kept(POSTING_FUNCTION)]
