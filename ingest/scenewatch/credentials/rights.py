"""Who may say and hear what at the broker, in the words of Mosquitto and of NATS."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenewatch.model.place import SUBSCRIBED, Kind, subscriptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WORKER = "scenewatch-worker"
HEALTH = "scenewatch-health"
UPTIME = "$SYS/broker/uptime"

HASH = "sha512"
ITERATIONS = 101
"""Mosquitto's own number. Each login costs the broker's only thread so many rounds, and stretching adds nothing
to a password of 256 random bits."""
SALT_BYTES = 12
HASH_BYTES = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Rights:
    """Topic filters of one user: what it may publish to and what it may subscribe to. Nothing else."""

    user: str
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


def gateway(root: str, site_id: str) -> Rights:
    """`site_id` is `scene.site`, and the user's name."""
    scene, site = site_id.split(".")
    devices = f"{root}/{scene}/{site}/+"
    return Rights(
        user=site_id,
        writes=tuple(f"{devices}/{kind}" for kind in SUBSCRIBED),
        reads=(f"{devices}/{Kind.COMMAND}",),
    )


def worker(root: str) -> Rights:
    """It reads its own alarms too, to clear those that no longer stand."""
    alarms = f"{root}/+/+/alarm/#"
    return Rights(
        user=WORKER,
        writes=(alarms, f"{root}/+/+/+/{Kind.COMMAND}"),
        reads=(*subscriptions(root), alarms),
    )


def health() -> Rights:
    return Rights(user=HEALTH, reads=(UPTIME,))


def mosquitto_acl(everybody: Iterable[Rights]) -> str:
    lines = ["# Written by scenewatch secrets. Who is not named here may nothing."]
    for one in everybody:
        lines += ["", f"user {one.user}"]
        lines += [f"topic write {topic}" for topic in one.writes]
        lines += [f"topic read {topic}" for topic in one.reads]
    return "\n".join(lines) + "\n"


def mosquitto_passwords(passwords: Mapping[str, str], former: str) -> str:
    """A line that still fits its password stays as it is, so that writing it twice changes nothing."""
    lines = dict(line.split(":", 1) for line in former.splitlines() if ":" in line)
    kept = {user: lines[user] for user, word in passwords.items() if user in lines and fits(lines[user], word)}
    return "".join(f"{user}:{kept.get(user) or mosquitto_hash(word)}\n" for user, word in passwords.items())


def mosquitto_hash(password: str) -> str:
    """PBKDF2 with SHA-512, as `mosquitto_passwd` writes it."""
    return _hashed(password, secrets.token_bytes(SALT_BYTES), ITERATIONS)


def fits(hashed: str, password: str) -> bool:
    try:
        _, kind, iterations, salt, _ = hashed.split("$")
        same = _hashed(password, base64.b64decode(salt), int(iterations))
    except ValueError:
        return False
    return kind == "7" and hmac.compare_digest(same, hashed)


def _hashed(password: str, salt: bytes, iterations: int) -> str:
    digest = hashlib.pbkdf2_hmac(HASH, password.encode(), salt, iterations, HASH_BYTES)
    return f"$7${iterations}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def nats_users(everybody: Iterable[Rights], passwords: Mapping[str, str]) -> str:
    """As plain as the files they come from: NATS knows bcrypt alone, which Python does not bring along."""
    lines = ["# Written by scenewatch secrets. Who is not named here may nothing.", "users: ["]
    for one in everybody:
        publish = json.dumps(_subjects(one.writes))
        subscribe = json.dumps([*_subjects(one.reads), NATS_DELIVERY])
        lines.append(
            f"  {{ user: {json.dumps(one.user)}, password: {json.dumps(passwords[one.user])}, "
            f'allowed_connection_types: ["MQTT"],\n'
            f"    permissions: {{ publish: {{ allow: {publish} }}, subscribe: {{ allow: {subscribe} }} }} }}"
        )
    return "\n".join([*lines, "]"]) + "\n"


NATS_DELIVERY = "$MQTT.sub.>"
"""Where the server hands messages of QoS 1 to their subscriber; no MQTT client can name it in a topic filter."""


def _subjects(topics: tuple[str, ...]) -> list[str]:
    """How NATS names MQTT topic filters within. `a/#` is `a` itself too, which NATS asks for apart."""
    parents = [topic.removesuffix("/#") for topic in topics if topic.endswith("/#")]
    return [topic.replace("/", ".").replace("+", "*").replace("#", ">") for topic in (*topics, *parents)]
