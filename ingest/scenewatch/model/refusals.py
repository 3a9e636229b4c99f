"""Why there is no connection, in one line that says what to do: the words of brokers, of TLS and of the system."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

    from scenewatch.model.broker import Broker

UNSUPPORTED_PROTOCOL: Final = 0x84
PROTOCOL_ERROR: Final = "Protocol error"
"""paho's word where it closes the connection over a packet."""
BEGIN_WITH_TLS: Final = "if this port speaks TLS, let broker.url begin with mqtts://"
ANOTHER_CLIENT: Final = "does another worker use broker.client_id {client_id}? Each needs one of its own"

_ADVICE: Final = {
    0x85: "choose another broker.client_id than {client_id}",
    0x86: "check broker.username and broker.password_file",
    0x87: "the broker must allow this user what it needs: check broker.username, and the broker's access list",
    0x8A: "the broker has banned this client: have that lifted, or check broker.client_id {client_id}",
    0x8C: "the broker wants another way to log in than user and password",
    0x8E: ANOTHER_CLIENT,
    0x97: "the broker grants no more: have its quota raised",
    0x9C: "set broker.url to the server that the broker names",
    0x9D: "set broker.url to the server that the broker names",
    0x9F: "the broker limits how often clients connect",
}
"""By MQTT 5's numbers, which paho also gives the answers of 3.1.1."""

_CERTIFICATES: Final = {
    9: "the broker's certificate is not valid yet: check the clocks of both machines",
    10: "the broker's certificate has expired: have it renewed",
    62: "the broker's certificate is not for {host}: check broker.url",
    64: "the broker's certificate is not for {host}: check broker.url",
}
"""By OpenSSL's number of what failed in verifying."""
_UNTRUSTED: Final = "nobody we trust has signed the broker's certificate: check broker.ca_file"

_ALERTS: Final = {
    "CERTIFICATE_REQUIRED": "the broker wants a certificate of ours: set broker.cert_file and broker.key_file",
    "HANDSHAKE_FAILURE": "the broker may want a certificate of ours: set broker.cert_file and broker.key_file",
    "UNKNOWN_CA": "the broker does not trust who signed broker.cert_file",
    "CERTIFICATE_EXPIRED": "the certificate in broker.cert_file has expired",
    "CERTIFICATE_REVOKED": "the certificate in broker.cert_file has been revoked",
    "BAD_CERTIFICATE": "the broker does not take the certificate in broker.cert_file",
    "CERTIFICATE_UNKNOWN": "the broker does not take the certificate in broker.cert_file",
    "PROTOCOL_VERSION": "the broker speaks only versions of TLS that are not safe: have it speak TLS 1.2 or newer",
    "WRONG_VERSION_NUMBER": "this port does not speak TLS: check the port in broker.url, or use mqtt://",
    "UNEXPECTED_EOF": "this port may not speak TLS: check the port in broker.url, or use mqtt://",
}
"""By a part of OpenSSL's name for an alert of the other side."""


def refused(reason: ReasonCode, properties: Any, broker: Broker) -> str:
    """What the broker said, in CONNACK, SUBACK or DISCONNECT."""
    advice = _ADVICE.get(reason.value, "").format(client_id=broker.client_id)
    named = getattr(properties, "ServerReference", None)
    said = getattr(properties, "ReasonString", None)
    quoted = f" ({said[:200]!r})" if said else ""
    return f"{reason}{quoted}" + (f": {advice}" if advice else "") + (f", {named[:200]!r}" if named else "")


def given_up(reason: ReasonCode, keepalive_s: int) -> str:
    """Why paho closed the connection by itself."""
    if reason == PROTOCOL_ERROR:
        return "the broker sent a packet that makes no sense"
    if reason == "Keep alive timeout":
        return f"nothing came for {keepalive_s} s, not even an answer: check the way to the broker"
    return f"given up: {reason}"


def failed(error: OSError, broker: Broker) -> str:
    """What the system or TLS says. The names of files are told, what is in them never."""
    if isinstance(error, ssl.SSLCertVerificationError):
        mend = _CERTIFICATES.get(error.verify_code, _UNTRUSTED).format(host=broker.host)
        return f"{mend} ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        name = error.reason or ""
        mend = next((text for part, text in _ALERTS.items() if part in name), "")
        return f"{mend} ({name})" if mend else f"TLS failed: {error}"
    if isinstance(error, socket.gaierror):
        return f"the name {broker.host} is not known: check broker.url ({error.strerror})"
    if isinstance(error, TimeoutError):
        return "no answer: check broker.url, and what may block the way there"
    if isinstance(error, ConnectionRefusedError):
        return (
            f"nothing listens on port {broker.port} of {broker.host}: check broker.url, and whether the broker runs"
        )
    if isinstance(error, ConnectionError):
        return "closed by the broker while connecting: check the port in broker.url, or use mqtt://"
    if error.filename is not None:
        return f"{_setting(str(error.filename), broker)}{error.filename} cannot be read: {error.strerror}"
    return str(error)


def _setting(path: str, broker: Broker) -> str:
    """The setting that names this file, to go before it."""
    names = ("password_file", "ca_file", "cert_file", "key_file")
    return next((f"broker.{name} " for name in names if str(getattr(broker, name)) == path), "")
