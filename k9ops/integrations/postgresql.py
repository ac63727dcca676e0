"""The one door to PostgreSQL's programs: pg_dump, pg_restore and psql, always of one version.

The password reaches them by their environment, never by the command line. Their bytes are piped:
nothing plain is written to the disk and the memory stays flat.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from k9ops.core.errors import Unavailable

CHUNK = 1 << 20
#: Where distributions keep programs of several versions beside each other.
FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")
#: Names of libpq's variables; a parameter of the URL not listed here is the driver's own.
NAMES = "host port user password database sslmode sslrootcert sslcert sslkey options passfile"
VARIABLES = {name: f"PG{name.upper()}" for name in NAMES.split()}


class ProgramFailed(Exception):
    """pg_dump, pg_restore or psql ended with an error; the text is its first complaint."""


@dataclass(frozen=True)
class Tools:
    """The programs of one installed version."""

    folder: Path
    major: int

    def path(self, program: str) -> str:
        return str(self.folder / program)


def tools_for(server_major: int) -> Tools:
    """The installed programs that fit a server: its own version, else the next newer.

    Raises:
        Unavailable: there are none, or only older ones; the hint names the package.
    """
    installed = _installed()
    fitting = [tools for tools in installed if tools.major >= server_major]
    if fitting:
        return min(fitting, key=lambda tools: tools.major)
    found = ", ".join(str(tools.major) for tools in installed)
    message = (
        f"The server is PostgreSQL {server_major}, but pg_dump is of version {found}."
        if found
        else "pg_dump, pg_restore and psql are not installed."
    )
    hint = f"Install the package postgresql-client-{server_major} (apt-get install)."
    raise Unavailable(message, code="no_pg_dump", hint=hint)


def _installed() -> list[Tools]:
    """PATH says whether there are any; distributions keep further versions in folders of theirs."""
    on_path = shutil.which("pg_dump")
    if not on_path:
        return []
    folders = [folder for pattern in FOLDERS for folder in Path("/").glob(pattern)]
    found = {folder: _major(folder) for folder in [*folders, Path(on_path).parent]}
    return [Tools(folder, major) for folder, major in found.items() if major]


def _major(folder: Path) -> int:
    if not all((folder / name).exists() for name in ("pg_dump", "pg_restore", "psql")):
        return 0
    command = [str(folder / "pg_dump"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    number = re.search(r"\d+", said)
    return int(number[0]) if number else 0


def environment(url: URL) -> dict[str, str]:
    """The environment in which libpq's programs connect to `url`."""
    given = url.translate_connect_args() | dict(url.query)
    names = {"username": "user", "dbname": "database"}
    named = {VARIABLES.get(names.get(key, key)): str(value) for key, value in given.items()}
    chosen = {key: value for key, value in named.items() if key}
    inherited = dict(os.environ)  # noqa: TID251  (PATH, HOME and libpq's own variables)
    return inherited | {"PGCONNECT_TIMEOUT": "10", "PGAPPNAME": "k9ops backup"} | chosen


# Reading -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Snapshot:
    """One moment of the database, which pg_dump and the counts share."""

    id: str
    server_major: int
    connection: Connection

    def count_rows(self) -> dict[str, int]:
        """Rows of each table of the schema `public`."""
        names = self.connection.scalars(text(TABLES)).all()
        quote = self.connection.dialect.identifier_preparer.quote_identifier
        count = "SELECT count(*) FROM public."
        return {
            name: self.connection.execute(text(count + quote(name))).scalar_one() for name in names
        }

    def migration_head(self) -> str | None:
        if not self.connection.scalar(text("SELECT to_regclass('public.alembic_version')")):
            return None
        version = text("SELECT version_num FROM public.alembic_version")
        head: str | None = self.connection.scalar(version)
        return head


TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


@contextmanager
def snapshot(engine: Engine) -> Generator[Snapshot]:
    """Hold one moment of the database in a read-only transaction; ends with the block."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {limit} = 0"))
        name = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        yield Snapshot(name, server_major(connection), connection)


def server_major(connection: Connection) -> int:
    return int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10000


def dump(url: URL, taken: Snapshot) -> Iterator[bytes]:
    """The uncompressed custom archive of `taken`, piece by piece.

    Raises:
        ProgramFailed: at the end of the iteration, when pg_dump ended with an error.
    """
    command = [
        tools_for(taken.server_major).path("pg_dump"),
        *("--format=custom", "--compress=0", "--no-password", "--lock-wait-timeout=60s"),
        f"--snapshot={taken.id}",
    ]
    with _started(command, stdout=subprocess.PIPE, env=environment(url)) as process:
        assert process.stdout
        while chunk := process.stdout.read(CHUNK):
            yield chunk


def decode(archive: Iterable[bytes], server_major: int) -> Generator[bytes]:
    """The whole script of a custom archive, piece by piece, decoded without a server.

    It is for whoever runs it: owners and grants are left out.

    Raises:
        ProgramFailed: the archive cannot be decoded to its end.
    """
    program = tools_for(server_major).path("pg_restore")
    command = [program, "--no-owner", "--no-privileges", "--file=-"]
    started = _started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with started as process, _fed(process, archive):
        assert process.stdout
        while chunk := process.stdout.read(CHUNK):
            yield chunk


# Writing -----------------------------------------------------------------------------------------

#: Key of the advisory lock that the restoring transaction holds (any fixed number does).
RESTORE_LOCK = 5_490_214

# Tables are locked all at once and given back after a moment when one is in use: waiting while
# holding some could deadlock with a page, and the server might then fail the page instead of us.
PREPARE = f"""
SET client_min_messages = warning;
BEGIN;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL lock_timeout = '60s';
SELECT pg_advisory_xact_lock({RESTORE_LOCK}, 2);
SET LOCAL lock_timeout = '300ms';
DO $k9ops$
DECLARE
    names text;
    give_up timestamptz := clock_timestamp() + interval '60 seconds';
    owner name := (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'public');
BEGIN
    LOOP
        SELECT string_agg(format('%I.%I', schemaname, tablename), ', ' ORDER BY tablename)
            INTO names FROM pg_tables WHERE schemaname = 'public';
        EXIT WHEN names IS NULL;
        BEGIN
            EXECUTE 'LOCK TABLE ' || names || ' IN ACCESS EXCLUSIVE MODE';
            EXIT;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF clock_timestamp() > give_up THEN
                RAISE EXCEPTION 'the tables stayed in use for 60 seconds';
            END IF;
            PERFORM pg_sleep(0.02 + random() * 0.1);
        END;
    END LOOP;
    PERFORM set_config('lock_timeout', '60s', true);
    DROP SCHEMA IF EXISTS public CASCADE;
    CREATE SCHEMA public;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
    IF owner IS NOT NULL THEN
        EXECUTE format('ALTER SCHEMA public OWNER TO %I', owner);
    END IF;
END $k9ops$;
"""  # noqa: S608  (only a number is put in)


def restore(url: URL, archive: Iterable[bytes], after: str) -> None:
    """Replace the schema `public` by that of `archive` in one transaction of psql.

    `after` is SQL run behind the archive's script in the same transaction. COMMIT is sent only
    after pg_restore ended well and `archive` did not raise: whatever dies before, the server
    rolls back. (`psql -1` would commit half a dump.)

    Raises:
        ProgramFailed: nothing was changed.
    """
    with create_engine(url, poolclass=NullPool).connect() as connection:
        major = server_major(connection)
    psql = [tools_for(major).path("psql"), "-X", "-q", "--no-password", "-v", "ON_ERROR_STOP=1"]
    connected, quiet = environment(url), subprocess.DEVNULL
    with (
        _started(psql, stdin=subprocess.PIPE, stdout=quiet, env=connected) as session,
        closing(decode(archive, major)) as script,
    ):
        _tell(session, PREPARE.encode())
        _tell(session, _fit(next(script, b""), major))
        for piece in script:
            _tell(session, piece)
        _tell(session, f"{after}\nCOMMIT;\n".encode())


def _fit(head: bytes, major: int) -> bytes:
    """Take from the head of a script what newer programs write and an older server refuses."""
    return head if major >= 17 else head.replace(b"\nSET transaction_timeout = 0;\n", b"\n")


def _tell(session: "_Process", sql: bytes) -> None:
    assert session.stdin
    session.stdin.write(sql)
    session.stdin.flush()


def database_exists(url: URL) -> bool:
    """Whether the server has the database of `url`.

    Raises:
        Unavailable: the server cannot be reached.
    """
    try:
        with create_engine(url, poolclass=NullPool).connect():
            return True
    except OperationalError as error:
        if f'database "{url.database}" does not exist' in str(error.orig):
            return False
        hint = "Check DATABASE_URL and that the server runs."
        raise Unavailable(_first_line(str(error.orig)), code="no_database", hint=hint) from None


def create_database(url: URL) -> None:
    """Create the database of `url`.

    Raises:
        Unavailable: the role may not; the hint has the command for one who may.
    """
    maintenance = create_engine(url.set(database="postgres"), poolclass=NullPool)
    quoted = maintenance.dialect.identifier_preparer.quote_identifier(url.database or "")
    try:
        with maintenance.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE DATABASE {quoted}"))
    except (OperationalError, ProgrammingError) as error:
        message = f"The database {url.database} is missing: {_first_line(str(error.orig))}"
        hint = f"Let an administrator of the server run: createdb -O {url.username} {url.database}"
        raise Unavailable(message, code="no_database", hint=hint) from None


def table_names(url: URL) -> list[str]:
    """Names of the tables of the schema `public`."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return list(connection.scalars(text(TABLES)))


@contextmanager
def only_restore(url: URL) -> Generator[bool]:
    """Hold the server's lock of restores; False when another restore holds it."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        take = text(f"SELECT pg_try_advisory_lock({RESTORE_LOCK}, 1)")
        yield bool(connection.scalar(take))


# Programs ----------------------------------------------------------------------------------------

_Process = subprocess.Popen[bytes]


@contextmanager
def _started(
    command: list[str],
    *,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    env: dict[str, str] | None = None,
) -> Generator[_Process]:
    """A program that is waited for; its bad end becomes an error, an error in the block its end."""
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=complaints, env=env)
        try:
            yield process
            _close(process.stdin)
            process.wait()
        except BrokenPipeError:
            _stop(process)
        except BaseException:
            process.kill()
            _stop(process)
            raise
        finally:
            _close(process.stdout)
        if process.returncode:
            raise ProgramFailed(_complaint(complaints, command[0]))


def _stop(process: _Process) -> None:
    _close(process.stdin)
    process.wait()


def _close(pipe: IO[bytes] | None) -> None:
    if pipe:
        try:
            pipe.close()
        except BrokenPipeError:
            pass


@contextmanager
def _fed(process: _Process, chunks: Iterable[bytes]) -> Generator[None]:
    """Write `chunks` to the program from a thread while the block reads; then raise its error."""
    errors: list[BaseException] = []

    def feed() -> None:
        try:
            for chunk in chunks:
                # Read to the end even if the program is gone: the source checks itself there.
                _write(process, chunk)
        except BaseException as error:  # noqa: BLE001  (raised again by the thread that waits)
            errors.append(error)
        _close(process.stdin)

    feeder = Thread(target=feed, daemon=True)
    feeder.start()
    try:
        yield
    except BaseException:
        process.kill()
        raise
    finally:
        feeder.join()
    if errors:
        raise errors[0]


def _write(process: _Process, chunk: bytes) -> None:
    try:
        process.stdin.write(chunk)  # type: ignore[union-attr]
    except BrokenPipeError:
        pass


def _complaint(complaints: IO[bytes], program: str) -> str:
    complaints.seek(0)
    said = complaints.read(10_000).decode(errors="replace")
    found = re.search(r"(?:ERROR|FATAL|error):\s*(.+)", said)
    return f"{Path(program).name}: {found[1] if found else _first_line(said)}".rstrip(".")


def _first_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[0] if lines else "ended without a word"
