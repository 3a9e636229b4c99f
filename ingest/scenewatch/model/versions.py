"""Which version of MQTT to speak next: 5 where the broker knows it, else 3.1.1."""

from __future__ import annotations

from enum import Enum


class Protocol(Enum):
    """Versions spoken, with their names for people."""

    MQTT_5 = "MQTT 5"
    MQTT_3 = "MQTT 3.1.1"


class Outcome(Enum):
    """How a connection ended, as far as it matters for the next one."""

    LEFT = "left on purpose"
    LOST = "lost"
    PROTOCOL_REFUSED = "the broker does not speak this version"
    NEVER_GREETED = "closed before any answer"


class Versions:
    """A broker that says it does not know MQTT 5 is believed for good.

    One that closed without a word may be old, or have been in the middle of a start: it gets 3.1.1, and is asked
    for MQTT 5 again at the next connection.
    """

    def __init__(self) -> None:
        self.next = Protocol.MQTT_5
        self._works = False
        self._without_5 = False

    def subscribed(self) -> None:
        """The version that is spoken works: a closed door is no longer blamed on it."""
        self._works = True

    def ended(self, outcome: Outcome) -> bool:
        """Choose the version for the next connection; True where it should be tried at once."""
        if outcome is Outcome.LEFT:
            return False
        if outcome is Outcome.PROTOCOL_REFUSED:
            self._without_5 = self.next is Protocol.MQTT_5
            return self._turn()
        if self._works:
            if self.next is Protocol.MQTT_3 and not self._without_5:
                self._turn()
            return False
        return outcome is Outcome.NEVER_GREETED and self._turn()

    def _turn(self) -> bool:
        fell_back = self.next is Protocol.MQTT_5
        self.next = Protocol.MQTT_3 if fell_back else Protocol.MQTT_5
        self._works = False
        return fell_back
