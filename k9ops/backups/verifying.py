"""Whether a backup is what its manifest says: every check that needs no server."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app

from k9ops.backups.errors import Refused, explained
from k9ops.backups.folder import Backup
from k9ops.backups.making import Report, silent
from k9ops.core.files import working_folder
from k9ops.integrations import postgresql, sqlite
from k9ops.integrations.zstd import Damaged, Unpacker

#: What begins and ends the rows of a table in the script of a dump.
COPY, COPY_END, ROWS_END = b"\nCOPY public.", b" FROM stdin;\n", b"\n\\.\n"
HINT = "Use another backup; `flask list-backups` shows them."


@contextmanager
def checked(backup: Backup, report: Report = silent) -> Generator[Path]:
    """Check the backup; the block has the decoded database file (SQLite) or the file itself.

    `report` is called after each piece that was decoded.

    Raises:
        Refused: something is wrong; the code says what.
    """
    _check_size(backup)
    scratch = Path(current_app.instance_path)
    with explained(scratch), working_folder(scratch, "verifying") as beside:
        if backup.manifest.database == "sqlite":
            yield _checked_sqlite(backup, beside / "plain", report)
        else:
            _check_postgresql(backup, report)
            yield backup.path


def _refused(code: str, message: str) -> Refused:
    return Refused(message, code=code, field="file", hint=HINT)


def _check_size(backup: Backup) -> None:
    size = backup.path.stat().st_size
    if size != backup.manifest.bytes:
        text = f"{backup.file} has {size:,} bytes, its manifest says {backup.manifest.bytes:,}."
        raise _mismatch(backup, "size_differs", text)


def _mismatch(backup: Backup, code: str, text: str) -> Refused:
    """Size or hash differ: the file was damaged, or (by its own name) the manifest is another's."""
    if backup.is_ours and backup.manifest.file != backup.file:
        text = f"The manifest beside {backup.file} is that of {backup.manifest.file}."
        return _refused("manifest_of_another", text)
    return _refused(code, text)


def unpacked(backup: Backup, report: Report = silent) -> Iterator[bytes]:
    """The plain bytes of a backup; its hash and its end are checked when they were all read.

    Raises:
        Refused: they are not those of the manifest.
    """
    with backup.path.open("rb") as file:
        unpacker = Unpacker(file)
        try:
            for piece in unpacker:
                yield piece
                report(unpacker.plain_bytes, backup.manifest.plain_bytes, "Decoded")
            damage = ""
        except Damaged as error:
            damage = str(error)
        if unpacker.sha256 != backup.manifest.sha256:
            text = f"The SHA-256 of {backup.file} is not the one its manifest says."
            raise _mismatch(backup, "hash_differs", text)
        if damage or unpacker.plain_bytes != backup.manifest.plain_bytes:
            text = f"{backup.file} cannot be decompressed to its end. {damage}".strip()
            raise _refused("not_decodable", text)


def _checked_sqlite(backup: Backup, plain: Path, report: Report) -> Path:
    with plain.open("wb") as target:
        target.writelines(unpacked(backup, report))
    if fault := sqlite.integrity_fault(plain):
        raise _refused("integrity_failed", f"The database in {backup.file} is damaged: {fault}.")
    _compare(backup, sqlite.count_rows(plain), sqlite.migration_head(plain))
    return plain


def _check_postgresql(backup: Backup, report: Report) -> None:
    script = postgresql.decode(unpacked(backup, report), backup.manifest.database_version)
    counter = ScriptCounter()
    try:
        for piece in script:
            counter.read(piece)
    except postgresql.ProgramFailed as error:
        text = f"The dump in {backup.file} cannot be decoded to its end: {error}."
        raise _refused("not_decodable", text) from None
    _compare(backup, counter.tables, counter.migration_head)


def _compare(backup: Backup, tables: dict[str, int], head: str | None) -> None:
    said = backup.manifest.tables
    differing = sorted(name for name in said | tables if said.get(name) != tables.get(name))
    if differing:
        name = differing[0]
        text = (
            f"{backup.file} holds {tables.get(name, 'no')} rows of {name}, its manifest says"
            f" {said.get(name, 'nothing of it')} ({len(differing)} tables differ)."
        )
        raise _refused("rows_differ", text)
    if head != backup.manifest.migration_head:
        said_head = backup.manifest.migration_head
        text = f"{backup.file} stands at migration {head}, its manifest says {said_head}."
        raise _refused("head_differs", text)


class ScriptCounter:
    """Counts the rows of each table in the script of a dump, as it streams by."""

    def __init__(self) -> None:
        self.tables: dict[str, int] = {}
        self.migration_head: str | None = None
        self._table: str | None = None
        self._rest = b"\n"

    def read(self, piece: bytes) -> None:
        """Take the next piece of the script."""
        self._rest += piece
        while self._step():
            pass

    def _step(self) -> bool:
        """Pass over what is understood; False when more is needed."""
        return self._enter() if self._table is None else self._count(self._table)

    def _enter(self) -> bool:
        start = self._rest.find(COPY)
        end = self._rest.find(COPY_END, start)
        if start < 0 or end < 0:
            # The beginning of a word that the next piece ends must stay.
            self._rest = self._rest[start:] if start >= 0 else self._rest[-len(COPY) :]
            return False
        words = self._rest[start + len(COPY) : end].decode()
        self._table = _unquoted(words)
        self.tables.setdefault(self._table, 0)
        self._rest = b"\n" + self._rest[end + len(COPY_END) :]
        return True

    def _count(self, table: str) -> bool:
        end = self._rest.find(ROWS_END)
        stop = end if end >= 0 else self._rest.rfind(b"\n")
        # Each row counted here is the newline before it; the last is not whole yet.
        rows = self._rest.count(b"\n", 0, stop) if stop > 0 else 0
        self.tables[table] += rows
        if table == "alembic_version" and rows:
            self.migration_head = self._rest[1:stop].decode()
        self._rest = self._rest[stop + (1 if end >= 0 else 0) :] if stop >= 0 else self._rest
        if end >= 0:
            self._table = None
        return end >= 0


def _unquoted(words: str) -> str:
    """The table's name in `dogs (id, name)`, which is quoted if it is an odd one."""
    if words.startswith('"'):
        return words[1 : words.index('" (')].replace('""', '"')
    return words.split(" ", 1)[0]
