"""Writing the audit trail."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from k9ops.audit.models import AuditEntry
from k9ops.core.clock import db_now


@dataclass(frozen=True)
class Actor:
    """Who acts: a person (then with an id), or a part of the product."""

    name: str
    id: int | None = None
    ip: str | None = None


#: Whoever works at the machine itself; the operating system guards that door.
COMMAND_LINE = Actor("command line")


@dataclass(frozen=True)
class Target:
    """What is acted upon; `name` is how people called it at that time."""

    kind: str
    id: str | int
    name: str = ""


def record(
    session: Session,
    actor: Actor,
    action: str,
    target: Target,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add an entry to the caller's transaction; the caller commits both or neither.

    `detail` is JSON and holds no secrets.
    """
    session.add(
        AuditEntry(
            at=db_now(),
            actor_id=actor.id,
            actor_name=actor.name[:200],
            action=action,
            target_kind=target.kind,
            target_id=str(target.id)[:300],
            target_name=target.name[:300],
            detail=detail or {},
            ip=actor.ip,
        )
    )
