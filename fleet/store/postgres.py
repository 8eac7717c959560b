"""The store on a PostgreSQL server, which several receivers may share."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fleet.store.database import Dialect, Row, StoreAwayError, StoreError, TryAgainError, UnstorableError

if TYPE_CHECKING:
    import psycopg

SCHEMA_LOCK = 0x726F6164  # "road": any number that no other program locks on the same database
DIALECT = Dialect(
    identity="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    big="BIGINT",
    octets="BYTEA",
    schema_lock=f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})",
    table_lock="LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
)
STREAM_ROWS = 2_000  # fetched at a time
PATIENCE = {"connect_timeout": 10, "keepalives_idle": 15, "tcp_user_timeout": 20_000}  # s, s, ms: a dead server is found out
DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"


class PostgresDatabase:
    """A connection to one PostgreSQL database; for one thread."""

    dialect = DIALECT

    def __init__(self, url: str) -> None:
        self.place = _place(url)
        self._url = url
        self._connection: psycopg.Connection | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection that was not lost."""
        return self._connection is not None and not self._connection.closed

    def connect(self) -> None:
        """Connect; StoreAwayError when nobody answers, StoreError when psycopg is not installed."""
        try:
            import psycopg
            from psycopg.conninfo import make_conninfo
            from psycopg.types.numeric import Int8Dumper
        except ImportError:
            raise StoreError("a PostgreSQL store needs psycopg: pip install 'psycopg[binary]'") from None
        self.close()
        try:
            where = make_conninfo(self._url, **PATIENCE)
        except psycopg.ProgrammingError as error:
            raise StoreError(f"store is no PostgreSQL URL: {_line(error)}") from None
        with self._told():
            self._connection = psycopg.connect(where, autocommit=True, application_name="roadproof-fleet")
            # One type for all numbers: else each mix of small and large ones is prepared as a statement of its own.
            self._connection.adapters.register_dumper(int, Int8Dumper)
            self._connection.execute(DURABLE)

    def close(self) -> None:
        """Disconnect."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """READ COMMITTED: the store locks the rows of the units that it writes for."""
        with self._told(), self._open.transaction():
            yield

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; the number of rows it changed."""
        with self._told():
            return self._open.execute(_marked(sql), values).rowcount

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run one statement for each row; the number of rows changed by all."""
        with self._told(), self._open.cursor() as cursor:
            cursor.executemany(_marked(sql), rows)
            return cursor.rowcount

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of an answer."""
        with self._told():
            return self._open.execute(_marked(sql), values).fetchall()

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Generator[Row]:
        """The rows of a long answer, a few at a time."""
        with self._told(), self._open.transaction(), self._open.cursor(name="stream") as cursor:
            cursor.itersize = STREAM_ROWS
            cursor.execute(_marked(sql), values)
            yield from cursor

    @property
    def _open(self) -> psycopg.Connection:
        if self._connection is None:
            raise StoreAwayError(f"the store {self.place} is not connected")
        return self._connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What psycopg raises, as the store's errors."""
        import psycopg
        from psycopg import errors

        try:
            yield
        except (errors.DeadlockDetected, errors.SerializationFailure) as error:
            raise TryAgainError(f"the store {self.place} was busy: {_line(error)}") from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise StoreAwayError(f"the store {self.place} cannot be used now: {_line(error)}") from error
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise UnstorableError(f"the store {self.place} does not take a value: {_line(error)}") from error
        except psycopg.Error as error:
            raise StoreError(f"the store {self.place} refuses: {_line(error)}; check the database and its rights") from error


def _marked(sql: str) -> str:
    return sql.replace("?", "%s")


def _place(url: str) -> str:
    """The URL without user and password."""
    parts = urlsplit(url)
    host = parts.hostname or "local socket"
    return f"{parts.path.lstrip('/') or 'default database'} at {host}" + (f":{parts.port}" if parts.port else "")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
