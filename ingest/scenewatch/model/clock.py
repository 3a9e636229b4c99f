"""The one clock that looks at the system's time."""

from __future__ import annotations

import time


class SystemClock:
    """Milliseconds since 1970, UTC. Handed in by `app`; nothing else asks the system."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000
