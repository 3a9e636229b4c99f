"""docker-compose.yml as Docker Compose reads it: variables put in, `extends` followed, short forms written out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "ingest" / "Dockerfile"
VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::([-?])((?:[^{}]|\{[^{}]*\})*))?\})")


class UndefinedVariableError(Exception):
    """Its text is what the file says for that case."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """What a container finds at `target`: a file or folder of ours, a volume, or nothing that stays."""

    target: str
    source: Path | None = None
    volume: str | None = None
    writable: bool = False


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service, everything written out."""

    name: str
    command: list[str]
    """With its entry point."""
    environment: dict[str, str]
    mounts: list[Mount]
    health: list[str]
    profiles: list[str]
    given: dict[str, Any] = field(repr=False)
    """As it stands in the file."""


def load(variables: dict[str, str], path: Path = COMPOSE) -> dict[str, Any]:
    """The file as data; each service that extends another one joined with it."""
    whole = _interpolated(yaml.safe_load(path.read_text("utf-8")), variables)
    for name, service in whole["services"].items():
        base = service.pop("extends", None)
        if base is not None:
            other = path.parent / base["file"]
            inner = _interpolated(yaml.safe_load(other.read_text("utf-8")), variables)["services"][base["service"]]
            for mount in inner.get("volumes", []):
                assert isinstance(mount, str)
            inner["volumes"] = [_seen_from(path.parent, other.parent, mount) for mount in inner["volumes"]]
            whole["services"][name] = inner | service
    return whole


def services(variables: dict[str, str]) -> dict[str, Service]:
    whole = load(variables)
    return {name: _service(name, given, whole["secrets"]) for name, given in whole["services"].items()}


def _service(name: str, given: dict[str, Any], secrets: dict[str, Any]) -> Service:
    entrypoint = given.get("entrypoint", image_entrypoint() if "build" in given else [])
    mounts = [_mount(one) for one in given.get("volumes", [])]
    mounts += [Mount(target=target, writable=True) for target in given.get("tmpfs", [])]
    for secret in given.get("secrets", []):
        source, target = (secret, secret) if isinstance(secret, str) else (secret["source"], secret["target"])
        file = ROOT / secrets[source]["file"]
        mounts.append(Mount(target=str(Path("/run/secrets") / target), source=file))
    return Service(
        name=name,
        command=[*entrypoint, *given.get("command", [])],
        environment={key: str(value) for key, value in given.get("environment", {}).items()},
        mounts=mounts,
        health=given.get("healthcheck", {}).get("test", ["NONE"])[1:],
        profiles=given.get("profiles", []),
        given=given,
    )


def image_entrypoint() -> list[str]:
    found = re.search(r"^ENTRYPOINT (\[.*\])$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert found
    return list(json.loads(found[1]))


def _mount(given: str | dict[str, Any]) -> Mount:
    if isinstance(given, str):
        source, target, *mode = given.split(":")
        writable = mode != ["ro"]
        kind = "bind" if source.startswith(".") else "volume"
        subpath = ""
    else:
        source, target, kind = given["source"], given["target"], given["type"]
        writable = not given.get("read_only", False)
        subpath = given.get("volume", {}).get("subpath", "")
    if kind == "bind":
        return Mount(target=target, source=ROOT / source, writable=writable)
    return Mount(target=target, volume=str(Path(source) / subpath), writable=writable)


def _seen_from(folder: Path, other: Path, mount: str) -> str:
    """Relative paths are seen from the file they stand in."""
    if not mount.startswith("."):
        return mount
    source, _, rest = mount.partition(":")
    return f"./{(other / source).resolve().relative_to(folder.resolve())}:{rest}"


def _interpolated(value: Any, variables: dict[str, str]) -> Any:
    match value:
        case str():
            return interpolate(value, variables)
        case list():
            return [_interpolated(one, variables) for one in value]
        case dict():
            return {key: _interpolated(one, variables) for key, one in value.items()}
    return value


def interpolate(text: str, variables: dict[str, str]) -> str:
    def put_in(found: re.Match[str]) -> str:
        name, kind, other = found.groups()
        if name is None:
            return "$"
        value = variables.get(name, "")
        if not value and kind == "?":
            raise UndefinedVariableError(other)
        return value or (interpolate(other, variables) if kind == "-" else "")

    return VARIABLE.sub(put_in, text)


def keys(path: str, whole: Any) -> Any:
    """What stands at a path such as `services.worker.image`."""
    return reduce(lambda inner, key: inner[key], path.split("."), whole)
