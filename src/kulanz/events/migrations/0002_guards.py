from django.db import migrations

from kulanz.events.guards import EVENT_GUARDS


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [
        migrations.RunPython(
            lambda apps, schema: EVENT_GUARDS.install(schema.connection),
            lambda apps, schema: EVENT_GUARDS.remove(schema.connection),
        )
    ]
