"""What can go wrong by somebody's doing. Everything else is a fault of ours, and masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Why a write was refused. Stable: clients may switch on it. `UserErrorCode` in the schema."""

    BLANK = "BLANK"
    TOO_LONG = "TOO_LONG"
    TOO_MANY = "TOO_MANY"
    INVALID = "INVALID"
    TAKEN = "TAKEN"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    LAST_ADMIN = "LAST_ADMIN"
    NOTHING_TO_UNDO = "NOTHING_TO_UNDO"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason of a refusal: a code, a sentence for a person, and where in the input it is."""

    code: Code
    message: str
    field: tuple[str, ...] = ()


class DomainError(Exception):
    """A write that the rules refuse. It carries every problem found, and nothing was changed.

    `revision` is the organization's at which it was decided; None if that was not looked at.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)
        self.revision: int | None = None

    @classmethod
    def of(cls, code: Code, message: str, *field: str) -> "DomainError":
        """The error with one problem; `field` is the path below `input`."""
        return cls([Problem(code, message, field)])


class RequestError(Exception):
    """A request that cannot be answered as it was asked. `code` becomes `extensions.code`."""

    code = "BAD_REQUEST"


class BadRequest(RequestError):
    """Arguments that make no sense, such as a cursor that is none."""


class Unauthenticated(RequestError):
    """Nobody, or nobody any more: no token, or one that is unknown, expired or revoked."""

    code = "UNAUTHENTICATED"


class Forbidden(RequestError):
    """Somebody, but not one who may do this."""

    code = "FORBIDDEN"


class LimitExceeded(RequestError):
    """More than the service gives at once; the message names the limit."""

    code = "LIMIT_EXCEEDED"


class Busy(LimitExceeded):
    """Every connection to the database was in use for as long as a statement may wait for one."""

    retry_after = 1  # seconds


class Unavailable(Exception):
    """The database cannot serve at the moment. No fault of the request, and none of the code.

    Its text is the reason, for the operator; `message` is for clients.
    """

    message = "The database does not answer at the moment. Try again in a while."
    retry_after = 1  # seconds


class Stopping(Unavailable):
    """The process ends before the request could be answered."""

    message = "The service is stopping. Of a write, look whether it has landed; then try again."


class Unwritable(Unavailable):
    """The database can be read, but not written: its disk is full, or it is read-only."""

    message = "Nothing can be written at the moment, only read. Try again in a while."
