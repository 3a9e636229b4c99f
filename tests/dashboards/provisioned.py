"""The data sources as Grafana finds them at its start."""

from __future__ import annotations

import re

import yaml
from built import FOLDER
from grafana_expand import Sources


def sources(environment: dict[str, str]) -> Sources:
    """`environment` takes the place of Grafana's own: `${NAME}` in a file is put in from there."""
    whole = [
        one
        for path in sorted((FOLDER / "provisioning" / "datasources").glob("*.yaml"))
        for one in yaml.safe_load(_with(environment, path.read_text("utf-8")))["datasources"]
    ]
    return Sources(
        names={one["uid"]: one["name"] for one in whole},
        databases={one["uid"]: one["jsonData"]["dbName"] for one in whole},
        least={one["uid"]: one["jsonData"]["timeInterval"] for one in whole if "timeInterval" in one["jsonData"]},
    )


def _with(environment: dict[str, str], text: str) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda name: environment.get(name[1], ""), text)
