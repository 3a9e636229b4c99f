"""The one clock that looks at the system's time, and which times of others are believed."""

from __future__ import annotations

import time
from typing import Final

ALLOWED_SKEW_MS: Final = 60_000
"""A device's clock that is further ahead of ours is wrong."""
YEAR_2000_MS: Final = 946_684_800_000
"""Before it, a device told seconds for milliseconds, or has a dead clock."""


class SystemClock:
    """Milliseconds since 1970, UTC. Handed in by `app`; nothing else asks the system."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


def believed_ms(t_ms: int, received_ms: int) -> int:
    """A device's own time, or the receive time where its clock is wrong."""
    wrong = t_ms > received_ms + ALLOWED_SKEW_MS or t_ms < YEAR_2000_MS
    return received_ms if wrong else t_ms
