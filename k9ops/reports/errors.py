"""What can go wrong with documents."""

from k9ops.core.errors import Conflict, NotFound


class UnknownReport(NotFound):
    """No report of this key is in the catalogue."""

    code = "unknown_report"


class DocumentMissing(NotFound):
    """The row is there, its file is not."""

    code = "document_missing"
    exit_code = 1


class DocumentDamaged(Conflict):
    """The file is not the one that was made."""

    code = "document_damaged"
