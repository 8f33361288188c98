"""Migrations: numbered SQL files, forward only, each in one transaction and known by its digest."""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

import duckdb

from supervisor.server.errors import MigrationError
from supervisor.server.store.rows import Connection, one

_SCHEMA_VERSION = """
CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True)
class Migration:
    """One step from a version of the schema to the next."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Digest of its text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Read the migrations of this version of the software, in order."""
    found = [
        Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8"))
        for entry in files("supervisor.server.store").joinpath("migrations").iterdir()
        if (match := re.fullmatch(r"(\d{4})_(\w+)\.sql", entry.name))
    ]
    return sorted(found, key=lambda migration: migration.version)


def applied(connection: Connection) -> int:
    """Return the version that a database has; 0 for a new one."""
    known = one(connection, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'schema_version'")
    if known is None or not known[0]:
        return 0
    row = one(connection, "SELECT coalesce(max(version), 0) FROM schema_version")
    return int(row[0]) if row else 0


def migrate(connection: Connection, known: list[Migration]) -> list[Migration]:
    """Bring a database to the newest version; return what was applied.

    Raises:
        MigrationError: the database is of a newer version, or an applied migration has another text here.
        duckdb.Error: a migration failed; the database is as it was before that one.
    """
    connection.execute(_SCHEMA_VERSION)
    done = connection.execute("SELECT version, name, sha256 FROM schema_version ORDER BY version").fetchall()
    by_version = {migration.version: migration for migration in known}
    for version, name, sha256 in done:
        here = by_version.get(version)
        if here is None:
            raise MigrationError(
                f"the database has schema version {version} ({name}), this software knows {max(by_version)}; "
                "install the version that made it, or restore the backup beside the database"
            )
        if here.sha256 != sha256:
            raise MigrationError(
                f"migration {version:04d}_{name}.sql is not the one that this database was made with; "
                "an installed migration must never be changed: reinstall the software"
            )
    newest = max((version for version, _, _ in done), default=0)
    todo = [migration for migration in known if migration.version > newest]
    for migration in todo:
        connection.execute("BEGIN")
        try:
            connection.execute(migration.sql)
            connection.execute(
                "INSERT INTO schema_version (version, name, sha256) VALUES (?, ?, ?)",
                [migration.version, migration.name, migration.sha256],
            )
            connection.execute("COMMIT")
        except duckdb.Error:
            connection.execute("ROLLBACK")
            raise
        connection.execute("CHECKPOINT")
    return todo
