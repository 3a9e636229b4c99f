"""What a production stack needs to know in secret: made once, added to, renewed one by one, never overwritten."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scenewatch.credentials import certificates, operators, rights
from scenewatch.credentials.certificates import Pair
from scenewatch.credentials.folder import OWN, PUBLIC, SHARED
from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scenewatch.credentials.folder import Folder

AUTHORITY, BROKER = "ca", "broker"
GATEWAYS = "gateways"
ENDING = ".password"
WORKER_FILE = "broker-worker.password"
HEALTH_FILE = "broker-health.password"
HEALTH_OPTIONS = "broker-health.options"
MOSQUITTO_PASSWORDS, MOSQUITTO_ACL, NATS_USERS = "mosquitto.passwd", "mosquitto.acl", "nats-users.conf"

PASSWORDS = {
    "worker": WORKER_FILE,
    "health": HEALTH_FILE,
    "influxdb-admin": "influxdb-admin.password",
    "influxdb-token": "influxdb-admin.token",
    "grafana-admin": "grafana-admin.password",
}
"""By the name `--renew` takes. InfluxDB's own tokens for worker and Grafana are made by InfluxDB."""
ALWAYS_NAMES = ("broker", "localhost", "127.0.0.1")
"""How worker, health check and gateways on this machine call the broker."""
PASSWORD_BYTES = 32


@dataclass(frozen=True, slots=True)
class Kept:
    """One secret, without its value."""

    name: str
    files: str
    made: datetime
    until: datetime | None
    names: tuple[str, ...] = ()


class Keyring:
    """The secrets in a folder. `root` is the first level of all topics."""

    def __init__(self, folder: Folder, root: str) -> None:
        self._folder = folder
        self._root = root

    def init(
        self, hosts: Sequence[str], days: int, renew: Iterable[str], now: datetime, people: Iterable[str] = ()
    ) -> list[str]:
        """Make what is missing and what is to be renewed; gives the names of what was made."""
        renewed = set(renew)
        if unknown := sorted(renewed - set(self.names())):
            told = f"knows no {', '.join(unknown)}; there are: {', '.join(self.names())}"
            raise ConfigurationError([Mistake("--renew", told)])
        self._folder.make()
        self._folder.make_inner(GATEWAYS)
        self._check_hosts(hosts, renewed)
        made = self._certificates(hosts, days, renewed, now)
        for name, file in PASSWORDS.items():
            made += [name] if self._password(file, anew=name in renewed) else []
        for site in self.sites():
            made += [site] if self._password(_file_of(site), anew=site in renewed) else []
        made += operators.add(self._folder, people, renewed)
        self._write_derived()
        return made

    def add(self, sites: Iterable[str]) -> list[str]:
        """A login for each of these sites that has none yet; gives those."""
        made = [site for site in sites if self._password(_file_of(site), anew=False)]
        self._write_derived()
        return made

    def add_operators(self, people: Iterable[str]) -> list[str]:
        """A token for each of these that has none yet; gives those."""
        return operators.add(self._folder, people, renewed=())

    def sites(self) -> list[str]:
        return self._folder.names(GATEWAYS, ENDING)

    def names(self) -> list[str]:
        return [AUTHORITY, BROKER, *PASSWORDS, *self.sites(), *operators.keys(self._folder)]

    def show(self) -> Iterator[Kept]:
        """What there is, never its value."""
        for name in (AUTHORITY, BROKER):
            if self._folder.has(f"{name}.pem"):
                found = certificates.facts(self._folder.read(f"{name}.pem"))
                files = f"{name}.pem, {name}.key"
                yield Kept(name, files, found.since, found.until, found.names)
        files_of = PASSWORDS | {site: _file_of(site) for site in self.sites()}
        files_of |= dict.fromkeys(operators.keys(self._folder), operators.FILE)
        for name, file in files_of.items():
            if self._folder.has(file):
                seconds = (self._folder.path / file).stat().st_mtime
                yield Kept(name, file, datetime.fromtimestamp(seconds, UTC), None)

    def _certificates(self, hosts: Sequence[str], days: int, renewed: set[str], now: datetime) -> list[str]:
        made = []
        if AUTHORITY in renewed or not self._folder.has("ca.pem"):
            self._write_pair(AUTHORITY, certificates.authority(now), OWN)
            made.append(AUTHORITY)
        if made or BROKER in renewed or not self._folder.has("broker.pem"):
            signer = Pair(self._folder.read("ca.pem"), self._authority_key())
            self._write_pair(BROKER, certificates.server(signer, self._broker_names(hosts), now, days), SHARED)
            made.append(BROKER)
        return made

    def _authority_key(self) -> bytes:
        """It may have been taken to a safe place: then it is wanted back for a new certificate."""
        if not self._folder.has("ca.key"):
            what = f"is not there: bring it back for this, or make all anew with --renew {AUTHORITY}"
            raise ConfigurationError([Mistake(str(self._folder.path / "ca.key"), what)])
        return self._folder.read("ca.key")

    def _check_hosts(self, hosts: Sequence[str], renewed: set[str]) -> None:
        """A name that is asked for and not in the certificate would show itself only at the first gateway."""
        if self._folder.has("broker.pem") and not renewed & {AUTHORITY, BROKER}:
            missing = set(hosts) - set(self._names_in_certificate())
            if missing:
                what = f"{', '.join(sorted(missing))}: not in the broker's certificate; add --renew {BROKER}"
                raise ConfigurationError([Mistake("--host", what)])

    def _names_in_certificate(self) -> tuple[str, ...]:
        return certificates.facts(self._folder.read("broker.pem")).names if self._folder.has("broker.pem") else ()

    def _broker_names(self, hosts: Sequence[str]) -> list[str]:
        """Those it had stay: a gateway that calls the broker by one of them must not lose it."""
        return list(dict.fromkeys([*ALWAYS_NAMES, *self._names_in_certificate(), *hosts]))

    def _write_pair(self, name: str, pair: Pair, key_mode: int) -> None:
        self._folder.write(f"{name}.key", pair.key, key_mode)
        self._folder.write(f"{name}.pem", pair.certificate, PUBLIC)

    def _password(self, file: str, *, anew: bool) -> bool:
        if self._folder.has(file) and not anew:
            return False
        self._folder.write(file, secrets.token_urlsafe(PASSWORD_BYTES).encode() + b"\n", SHARED)
        return True

    def _write_derived(self) -> None:
        """The brokers' files follow from the passwords, so a crash in between is mended by running it again."""
        folder = self._folder
        sites = self.sites()
        words = {site: folder.text(_file_of(site)) for site in sites}
        words |= {rights.WORKER: folder.text(WORKER_FILE), rights.HEALTH: folder.text(HEALTH_FILE)}
        users = [rights.worker(self._root), *(rights.gateway(self._root, site) for site in sites)]
        former = folder.text(MOSQUITTO_PASSWORDS) if folder.has(MOSQUITTO_PASSWORDS) else ""
        options = f"-u {rights.HEALTH}\n-P {words[rights.HEALTH]}\n"
        texts = {
            MOSQUITTO_PASSWORDS: rights.mosquitto_passwords(words, former),
            MOSQUITTO_ACL: rights.mosquitto_acl([*users, rights.health()]),
            NATS_USERS: rights.nats_users(users, words),
            HEALTH_OPTIONS: options,
        }
        for name, text in texts.items():
            if not folder.has(name) or folder.read(name) != text.encode():
                folder.write(name, text.encode(), SHARED)


def _file_of(site: str) -> str:
    return f"{GATEWAYS}/{site}{ENDING}"
