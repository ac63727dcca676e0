"""The manifest: what stands in `FILE.json` beside each backup FILE."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from k9ops.backups.errors import Refused, UnknownBackup
from k9ops.core.files import write_whole

Kind = Literal["sqlite", "postgresql"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
#: Others are no times of ours, and some of them no clock can tell.
Moment = Annotated[
    AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))
]


class Refusal(BaseModel):
    """Why a verification refused the backup."""

    code: str
    message: str
    at: Moment


class Manifest(BaseModel):
    """What a backup holds and what proves it."""

    model_config = ConfigDict(frozen=True)

    #: Version of this format.
    format: Literal[1] = 1
    file: str
    database: Kind
    #: Major version of the server that was dumped; 3 for SQLite.
    database_version: int
    application_version: str
    #: The migration that the database stood at.
    migration_head: str | None
    #: Rows of each table, counted in the snapshot that the backup holds.
    tables: dict[str, NonNegativeInt]
    #: Size and hash of FILE; the size of what it holds.
    bytes: NonNegativeInt
    sha256: Sha256
    plain_bytes: NonNegativeInt
    #: The moment of the snapshot.
    created_at: Moment
    duration_seconds: float
    run_id: str
    #: `run`, or `safety`: made before a restore.
    reason: Literal["run", "safety"]
    uploaded: bool = False
    #: When the last verification found it whole …
    verified_at: Moment | None = None
    #: … or why it refused it.
    refused: Refusal | None = None

    @classmethod
    def read(cls, backup: Path) -> Self:
        """The manifest of the file `backup`.

        Raises:
            UnknownBackup: there is no such file.
            Refused: the file has no manifest, or one that cannot be read.
        """
        if not backup.is_file():
            raise UnknownBackup(f"There is no backup file {backup.name}.", field="file", hint=LIST)
        try:
            return cls.model_validate_json(path_beside(backup).read_bytes())
        except FileNotFoundError:
            message = f"{backup.name} has no manifest ({backup.name}.json), so nothing proves it."
            hint = "Put the manifest that was made with it beside it."
            raise Refused(message, code="manifest_missing", field="file", hint=hint) from None
        except OSError as error:
            message = f"The manifest {backup.name}.json cannot be read: {error.strerror}."
            raise Refused(message, code="manifest_unreadable", field="file") from None
        except ValidationError as error:
            message = f"The manifest {backup.name}.json cannot be read: {_first(error)}."
            raise Refused(message, code="manifest_unreadable", field="file", hint=LIST) from None

    def write(self, backup: Path) -> None:
        """Write it beside the file `backup`, wholly or not at all."""
        write_whole(path_beside(backup), self.model_dump_json(indent=2) + "\n")


LIST = "`flask list-backups` shows the backups."


def path_beside(backup: Path) -> Path:
    """Where the manifest of the file `backup` stands."""
    return backup.with_name(f"{backup.name}.json")


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else str(first["msg"])
