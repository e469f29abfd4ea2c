"""Triggers by which the database itself refuses to change what is append-only."""

from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True, slots=True)
class Guards:
    """Statements per database. Installed by a migration; tests remove them to empty tables between cases."""

    sqlite: tuple[str, ...]
    postgres: tuple[str, ...]
    remove_sqlite: tuple[str, ...]
    remove_postgres: tuple[str, ...]

    def install(self, connection: BaseDatabaseWrapper) -> None:
        self._run(connection, self.sqlite, self.postgres)

    def remove(self, connection: BaseDatabaseWrapper) -> None:
        self._run(connection, self.remove_sqlite, self.remove_postgres)

    @staticmethod
    def _run(connection: BaseDatabaseWrapper, sqlite: tuple[str, ...], postgres: tuple[str, ...]) -> None:
        with connection.cursor() as cursor:
            for statement in postgres if connection.vendor == "postgresql" else sqlite:
                cursor.execute(statement)
