"""The clock of the service in this process, which a test puts on instead of waiting."""

from datetime import datetime, tzinfo

import pytest
from jwt import api_jwt

from models import ledger, membership_writes, tokens
from models.ledger import utc_now
from runtime import auth


class Clock(datetime):
    """What tells the time of the ledger also to those who ask `datetime`."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return ledger.utc_now()


def put_on(patches: pytest.MonkeyPatch, moment: datetime) -> None:
    """Let it be this moment now, to whoever looks whether a token has expired."""
    ahead = moment - utc_now()
    for module in (ledger, membership_writes, tokens, auth):
        patches.setattr(module, "utc_now", lambda: utc_now() + ahead)
    patches.setattr(api_jwt, "datetime", Clock)
