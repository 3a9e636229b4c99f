"""The broker as the worker needs it: login, what may be read and written, and how long it keeps a session."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from paho.mqtt.enums import MQTTProtocolVersion

from scenewatch.doctor.findings import failed, failed_with, ok, warning
from scenewatch.doctor.visit import Visit, WrongVersionError
from scenewatch.doctor.worker import has_received
from scenewatch.model.errors import TemporaryError
from scenewatch.model.place import Device, Kind, alarm_filter, alarm_topic
from scenewatch.parts import mqtt_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.doctor.findings import Finding, Subject
    from scenewatch.source.settings import MqttSettings

VISITOR = "scenewatch-doctor"
"""Nothing of the worker's own name: that may be one which nobody is to know."""
ANSWER_S = 4.0
LISTEN_S = 1.5
"""For a message of any device; a city is never silent so long, a new installation is."""
ABSENCE_S = 3600
"""For so long at least the worker may be away, and the broker keeps all for it."""
ACL = "the broker's access list must allow this user"


def broker_login(subject: Subject) -> Iterator[Finding]:
    settings = mqtt_settings(subject.settings)
    if any(settings.mistakes()):
        return  # told with the settings
    visitor = replace(settings, client_id=f"{VISITOR}-{secrets.token_hex(8)}")
    end_s = time.monotonic() + ANSWER_S
    try:
        try:
            yield from _visit(subject, visitor, MQTTProtocolVersion.MQTTv5, end_s)
        except WrongVersionError:
            yield from _visit(subject, visitor, MQTTProtocolVersion.MQTTv311, end_s)
    except TemporaryError as error:
        yield failed_with(error, "see the broker's own log")


def _visit(
    subject: Subject, visitor: MqttSettings, version: MQTTProtocolVersion, end_s: float
) -> Iterator[Finding]:
    with Visit(visitor, version, ABSENCE_S, end_s) as visit:
        as_whom = visitor.username or "nobody in particular"
        spoken = "5" if version == MQTTProtocolVersion.MQTTv5 else "3.1.1"
        yield ok(f"{visitor.url} lets {as_whom} in, over MQTT {spoken}")
        yield from _promises(visit.connack)
        yield from _subscribes(subject, visitor, visit)
        yield from _speaks(subject, visitor, visit)
        yield from _hears(subject, visit)


def _promises(connack: Any) -> Iterator[Finding]:
    """What an MQTT 5 broker says of itself; what it leaves out is as the standard has it."""
    kept_s = getattr(connack, "SessionExpiryInterval", ABSENCE_S)
    if kept_s < ABSENCE_S:
        what = f"the broker keeps a session for {kept_s} s only: what comes while the worker is away longer is lost"
        yield failed(what, "let the broker keep sessions for a day at least")
    if getattr(connack, "MaximumQoS", 2) < 1:
        yield failed("the broker offers QoS 0 alone: messages get lost", "let the broker offer QoS 1")
    if not getattr(connack, "RetainAvailable", 1):
        yield failed("the broker keeps no retained messages: alarms are not seen by who comes later", "allow them")
    if not getattr(connack, "WildcardSubscriptionAvailable", 1):
        yield failed("the broker allows no wildcards in subscriptions", "allow them")


def _subscribes(subject: Subject, visitor: MqttSettings, visit: Visit) -> Iterator[Finding]:
    filters = (*visitor.filters, alarm_filter(subject.settings.root))
    visit.subscribe(visitor.filters, (alarm_filter(subject.settings.root),))
    if not visit.granted:
        yield failed(visit.lost or "the broker does not answer a subscription", "see the broker's own log")
        return
    refused = [one for one, code in zip(filters, visit.granted, strict=False) if code.is_failure]
    if refused:
        yield failed(f"the broker does not let us read {', '.join(refused)}", f"{ACL} to read them")
    else:
        yield ok(f"all {len(filters)} subscriptions of the worker are granted")


def _speaks(subject: Subject, visitor: MqttSettings, visit: Visit) -> Iterator[Finding]:
    """Publish the end of an alarm that never was, of a device that there is not: the same as saying nothing."""
    nobody = Device(scene="doctor", site="doctor", device=visitor.client_id.rpartition("-")[2], type="")
    topic = alarm_topic(subject.settings.root, nobody, "doctor")
    visit.publish(topic)
    heard = visit.wait(lambda: any(came == topic for came, _ in visit.came), ANSWER_S / 2)
    code = visit.published
    if heard:
        yield ok("alarms can be published, and are seen by others")
    elif visit.lost:
        yield failed(f"publishing an alarm: {visit.lost}", f"{ACL} to write {alarm_filter(subject.settings.root)}")
    elif code is not None and code.is_failure:
        what = f"the broker refuses alarms ({code})"
        yield failed(what, f"{ACL} to write {alarm_filter(subject.settings.root)}")
    else:
        what = "an alarm that was published did not come back: others may not see alarms"
        yield failed(what, f"{ACL} to write and to read {alarm_filter(subject.settings.root)}")


def _hears(subject: Subject, visit: Visit) -> Iterator[Finding]:
    """Some brokers grant every subscription and then send nothing: only a message is a proof."""
    root, alarm = subject.settings.root, "alarm"

    def from_devices() -> bool:
        return any(t.startswith(f"{root}/") and t.split("/")[3:4] != [alarm] for t, _ in visit.came)

    if visit.wait(from_devices, LISTEN_S):
        yield ok("messages of devices come")
        return
    if has_received(subject):
        yield ok("messages of devices came to the worker")
        return
    what = f"no message of any device came within {LISTEN_S:g} s"
    mend = f"if devices do publish, {ACL} to read {root}/+/+/+/{Kind.TELEMETRY}; doctor again once they do"
    yield warning(what, mend)
