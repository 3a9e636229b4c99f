"""Certificates: those in our files, and those that broker and store really present."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509

from scenewatch.doctor.findings import failed, ok, warning
from scenewatch.store.influxurl import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scenewatch.doctor.findings import Finding, Subject

SOON = timedelta(days=30)
ANSWER_S = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A server that speaks TLS, and the settings that say whom to trust there."""

    name: str
    url_setting: str
    host: str
    port: int
    ca_setting: str
    ca_file: Path | None


def certificates(subject: Subject) -> Iterator[Finding]:
    now = datetime.fromtimestamp(subject.clock.now_ms() / 1000, UTC)
    broker, store = subject.settings.broker, subject.settings.store
    used = False
    for setting, path in (
        ("broker.ca_file", broker.ca_file),
        ("broker.cert_file", broker.cert_file),
        ("store.ca_file", store.ca_file),
    ):
        if path is not None:
            used = True
            yield from _of_file(setting, path, now)
    if broker.cert_file is not None:
        yield from _pair(broker.cert_file, broker.key_file)
    for endpoint in endpoints(subject):
        used = True
        yield from _presented(endpoint, now)
    if not used:
        yield ok("no TLS is used")


def endpoints(subject: Subject) -> Iterator[Endpoint]:
    """Of broker, store and Grafana those that speak TLS."""
    broker, store = subject.settings.broker, subject.settings.store
    where = (
        ("the broker", "broker.url", broker.url, "broker.ca_file", broker.ca_file),
        ("the store", "store.url", store.url.removeprefix(PREFIX), "store.ca_file", store.ca_file),
        ("Grafana", "--grafana", subject.grafana or "", "store.ca_file", store.ca_file),
    )
    ports = {"mqtts": 8883, "https": 443}
    for name, setting, url, ca_setting, ca_file in where:
        parts = urlsplit(url)
        if parts.scheme in ports and parts.hostname:
            yield Endpoint(
                name=name,
                url_setting=setting,
                host=parts.hostname,
                port=parts.port or ports[parts.scheme],
                ca_setting=ca_setting,
                ca_file=ca_file,
            )


def _of_file(setting: str, path: Path, now: datetime) -> Iterator[Finding]:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        yield failed(f"{setting} {path} cannot be read: {error.strerror}", f"put it there, or mend {setting}")
        return
    except ValueError:
        yield failed(f"{setting} {path} holds no certificate", "it must begin with -----BEGIN CERTIFICATE-----")
        return
    for certificate in found:
        yield _dated(f"{setting} {path}", certificate, now)


def _pair(cert_file: Path, key_file: Path | None) -> Iterator[Finding]:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert_file, key_file)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            what = f"broker.key_file {key_file} is not the key of broker.cert_file {cert_file}"
            yield failed(what, "name the two that were made together")
        else:
            what = f"broker.cert_file and broker.key_file cannot be used ({error.reason or error})"
            yield failed(what, "give both as PEM, the key without a passphrase")
    except OSError:
        return  # told as a file that cannot be read


def _presented(endpoint: Endpoint, now: datetime) -> Iterator[Finding]:
    """What the server shows to anybody, then whether we trust it."""
    try:
        shown = _leaf(endpoint)
    except (ssl.SSLError, ConnectionResetError) as error:
        what = f"{endpoint.name} at {endpoint.host}:{endpoint.port} speaks no TLS that we understand"
        said = getattr(error, "reason", None) or error
        yield failed(f"{what} ({said})", f"check scheme and port in {endpoint.url_setting}")
        return
    except OSError:
        return  # told by the one that logs in there
    dated = _dated(f"{endpoint.name}'s certificate", shown, now)
    yield dated
    try:
        _shake_hands(endpoint, _trusting(endpoint.ca_file)).close()
    except ssl.SSLCertVerificationError as error:
        if error.verify_code not in {9, 10} or not dated.mend:  # not valid yet, expired: told already
            yield _untrusted(endpoint, error)
    except OSError:
        return  # what is wrong with our own side of the handshake the login tells


def _untrusted(endpoint: Endpoint, error: ssl.SSLCertVerificationError) -> Finding:
    said = error.verify_message
    if error.verify_code in {62, 64}:
        what = f"{endpoint.name}'s certificate is not for {endpoint.host} ({said})"
        return failed(
            what, f"put a name of the certificate into {endpoint.url_setting}, or have it made for this one"
        )
    what = f"nobody we trust has signed {endpoint.name}'s certificate ({said})"
    return failed(what, f"name the authority that signed it in {endpoint.ca_setting}")


def _dated(name: str, certificate: x509.Certificate, now: datetime) -> Finding:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < first:
        return failed(f"{name} is not valid before {first:%Y-%m-%d %H:%M} UTC", "set the clocks of both machines")
    if now >= last:
        return failed(f"{name} has expired on {last:%Y-%m-%d}", "renew it, then restart who presents it")
    left = f"until {last:%Y-%m-%d}, {(last - now).days} days"
    if last - now < SOON:
        return warning(f"{name} is valid only {left}", "renew it, then restart who presents it")
    return ok(f"{name} is valid {left}")


def _leaf(endpoint: Endpoint) -> x509.Certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is only looked at: nothing is sent or believed
    with _shake_hands(endpoint, context) as connection:
        shown = connection.getpeercert(binary_form=True)
    if shown is None:
        raise ssl.SSLError("no certificate is presented")
    return x509.load_der_x509_certificate(shown)


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _shake_hands(endpoint: Endpoint, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection((endpoint.host, endpoint.port), ANSWER_S)
    try:
        return context.wrap_socket(plain, server_hostname=endpoint.host)
    except BaseException:
        plain.close()
        raise
