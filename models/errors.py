"""The errors that clients get to see. All others are faults of ours, and are masked."""

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
    """One reason for a refusal: a code, a sentence for people, and the path in the input."""

    code: Code
    message: str
    field: tuple[str, ...] = ()


class DomainError(Exception):
    """A write that the rules refuse, with all problems found. Nothing was changed.

    `revision` is the organization's revision at which it was refused; None if that was not read.
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
    """A request that cannot be answered. `code` becomes `extensions.code`."""

    code = "BAD_REQUEST"


class BadRequest(RequestError):
    """Invalid arguments, such as a malformed cursor."""


# What its sender is told of a token, wherever that is found.
EXPIRED = "This token has expired."
NOT_VALID = "This token is unknown, expired or revoked."


class Unauthenticated(RequestError):
    """There is no token, or it is unknown, expired or revoked."""

    code = "UNAUTHENTICATED"


class Forbidden(RequestError):
    """The viewer may not do this."""

    code = "FORBIDDEN"


class LimitExceeded(RequestError):
    """A request exceeds a limit, which the message names."""

    code = "LIMIT_EXCEEDED"


class Busy(LimitExceeded):
    """No connection or lock became free within the time that a statement may wait for it."""

    retry_after = 1  # seconds


class Unavailable(Exception):
    """The database cannot serve at the moment: a fault of neither the request nor the code.

    Its text is the reason, for the operator; `message` is for clients.
    """

    message = "The database is not responding at the moment. Try again in a while."
    retry_after = 1  # seconds


class Stopping(Unavailable):
    """The process is stopping before the request could be answered."""

    message = "The service is stopping. Before you try a write again, check whether it was saved."


class Unwritable(Unavailable):
    """The database can be read, but not written: its disk is full, or it is read-only."""

    message = "Nothing can be written at the moment, only read. Try again in a while."
