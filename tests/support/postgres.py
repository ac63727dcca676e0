"""A PostgreSQL server of the tests' own: on a free port, in a temporary folder, as any user."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg2

from tests.support.waiting import free_port

UNSAFE_BUT_FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
IN_MEMORY = Path("/dev/shm")
ROOM_FOR_DATABASES = 4 * 2**30


def server_programs() -> Path:
    """Folder of `initdb` and `postgres`; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise RuntimeError("PostgreSQL's server is missing: run scripts/system-packages test")


def _new_folder() -> Path:
    """In memory where there is room: a new database is about 300 files, 0.4 s on a disk."""
    roomy = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ROOM_FOR_DATABASES
    return Path(tempfile.mkdtemp(prefix="k9ops-postgres-", dir=IN_MEMORY if roomy else None))


def _version(initdb: Path) -> int:
    return int(initdb.parent.parent.name)


class PostgresServer:
    """Started by `start`, gone after `stop`. PostgreSQL refuses root, so root lends it a user."""

    def __init__(self) -> None:
        self.folder = _new_folder()
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user: dict[str, object] = {}
        self._by = ""
        if os.geteuid() == 0:
            user = _plain_user()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def start(self) -> "PostgresServer":
        programs, data = server_programs(), self.folder / "data"
        common = {"cwd": self.folder, **self._as_user}
        make = [programs / "initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8"]
        quiet = ["--locale=C", "--no-sync"]
        subprocess.run([*make, *quiet], check=True, stdout=subprocess.DEVNULL, **common)
        options = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
            "max_connections=200",
            *UNSAFE_BUT_FAST,
        ]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [programs / "postgres", "-D", data, *(f"--{option}" for option in options)],
                stdout=log,
                stderr=log,
                **common,
            )
        self._wait()
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                connection = psycopg2.connect(self.url("postgres"))
            except psycopg2.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                # Copying the files takes half of what writing them to the log does, since 15's way.
                self._by = "STRATEGY file_copy" if connection.server_version >= 150000 else ""
                connection.close()
                return

    def stop(self) -> None:
        """SIGINT is PostgreSQL's word for a quick, clean stop."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql://tests@127.0.0.1:{self.port}/{database}"

    def run(self, sql: str) -> None:
        """Run one statement outside a transaction, as CREATE DATABASE needs."""
        connection = psycopg2.connect(self.url("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
        finally:
            connection.close()

    def create(self, database: str, template: str = "template0") -> str:
        self.run(f'CREATE DATABASE "{database}" TEMPLATE "{template}" {self._by}')
        return self.url(database)

    def drop(self, database: str) -> None:
        self.run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def _plain_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
