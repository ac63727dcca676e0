"""Lists that people take with them as files: each stands in the trail."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from k9ops.audit.services import Actor, Target, record
from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.web.exports import Column, file_of
from k9ops.web.links import address_of

T = TypeVar("T")

#: What the trail keeps of each filter.
_LONGEST = 100


def export_list(
    kind: str, title: str, columns: Sequence[Column[T]], rows: Iterable[T], *, actor: Actor
) -> ResponseReturnValue:
    """A download of the rows, noted in the trail; the view's address is `…/NAME/export/KIND`.

    `rows` are what the filters of the address show and the person may see. They are read when
    the file is sent. Whoever asks for too large a sheet is told so on the page of the list.
    """
    back = request.path.rpartition("/export/")[0]
    name = back.rpartition("/")[2]
    try:
        file = file_of(kind, name, title, columns, rows)
    except BadInput as error:
        flash(f"{error.message} {error.hint}", "bad")
        return redirect(address_of(back), 303)
    filters = {key: value[:_LONGEST] for key, value in request.args.items() if key != "lang"}
    detail = {"format": kind, "filters": filters}
    record(db.session(), actor, "list.exported", Target("list", name, name), detail)
    db.session.commit()
    return file
