"""Level one of the proof: every field, option and enumeration exists in Grafana, by the types it is published with.

Two holes of the published types are filled here: the query of an annotation, which they take for a list of tags,
and InfluxQL's queries, of which they know nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator

from node_packages import CACHE, NodePackages, digest, node

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
HERE = Path(__file__).parent / "schema"
SOURCES = ("package.json", "tsconfig.json", "types.ts")
PACKAGES = NodePackages(name="grafana-types", manifest=HERE / "package.json")
GENERATOR = "node_modules/ts-json-schema-generator/bin/ts-json-schema-generator.js"
GENERATE_S = 120
LONGEST = 240

SOURCE: Json = {
    "type": "object",
    "properties": {"type": {"const": "influxdb"}, "uid": {"type": "string"}},
    "required": ["type", "uid"],
    "additionalProperties": False,
}
QUERY: Json = {
    "type": "object",
    "properties": {
        "refId": {"type": "string", "minLength": 1},
        "datasource": SOURCE,
        "query": {"type": "string", "minLength": 1},
        "rawQuery": {"const": True},
        "resultFormat": {"enum": ["time_series", "table", "logs"]},
        "alias": {"type": "string"},
        "hide": {"type": "boolean"},
    },
    "required": ["refId", "datasource", "query", "rawQuery", "resultFormat"],
    "additionalProperties": False,
}
COLUMNS = ("textColumn", "tagsColumn", "timeEndColumn", "titleColumn", "name")
ANNOTATION: Json = {
    **QUERY,
    "properties": {
        **QUERY["properties"],
        "fromAnnotations": {"const": True},
        **{column: {"type": "string"} for column in COLUMNS},
    },
    "required": [*QUERY["required"], "fromAnnotations", "textColumn"],
}


def generated() -> Json | None:
    """The schema of `types.ts`, made once; None without Node, npm or a registry to install from."""
    sources = [HERE / name for name in SOURCES]
    made = CACHE / f"grafana-schema-{digest(*sources)}.json"
    if not made.exists():
        folder = PACKAGES.folder()
        program = node()
        if folder is None or program is None:
            return None
        for path in sources:
            shutil.copy(path, folder)
        options = ("--path", "types.ts", "--tsconfig", "tsconfig.json", "--type", "Types")
        style = ("--expose", "none", "--jsDoc", "none", "--no-top-ref")
        ended = subprocess.run(
            [program, GENERATOR, *options, *style], cwd=folder, timeout=GENERATE_S, capture_output=True, check=True
        )
        whole = made.with_suffix(".new")
        whole.write_bytes(ended.stdout)
        whole.replace(made)
    return json.loads(made.read_bytes())


class Schema:
    """`types`: what `generated` gave."""

    def __init__(self, types: Json) -> None:
        known = types["properties"]
        board = _with(known["dashboard"], panels={})
        board["properties"]["annotations"]["properties"]["list"]["items"]["properties"]["target"] = ANNOTATION
        panel = _with(known["panel"], targets={"type": "array", "items": QUERY, "minItems": 1})
        field = known["panel"]["properties"]["fieldConfig"]["properties"]["defaults"]["properties"]
        self._board = Draft7Validator(board)
        self._panel = Draft7Validator(panel)
        self._row = Draft7Validator(_with(known["row"], panels={}))
        self._fields = {name: Draft7Validator(one) for name, one in field.items()}
        self._kinds = {name: _loose(one)["properties"] for name, one in known["kinds"]["properties"].items()}

    def check(self, dashboard: Json) -> list[str]:
        """What Grafana does not know, one line each."""
        found = [*_errors(self._board, dashboard, "dashboard")]
        for panel in dashboard["panels"]:
            if panel["type"] == "row":
                found += _errors(self._row, panel, f"row {panel['title']}")
            for one in panel["panels"] if panel["type"] == "row" else [panel]:
                found += self._check_panel(one)
        return found

    def _check_panel(self, panel: Json) -> Iterator[str]:
        place = f"panel {panel['title']}"
        yield from _errors(self._panel, panel, place)
        kind = self._kinds.get(panel["type"])
        if kind is None:
            yield f"{place}: no kind of panel {panel['type']}"
            return
        yield from _errors(Draft7Validator(kind["options"]), panel["options"], f"{place}: options")
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        yield from _errors(Draft7Validator(kind["custom"]), custom, f"{place}: custom")
        for override in panel["fieldConfig"]["overrides"]:
            for row in override["properties"]:
                yield from self._check_override(f"{place}: override {row['id']}", kind["custom"], row)

    def _check_override(self, place: str, custom: Json, row: Json) -> Iterator[str]:
        group, _, name = row["id"].rpartition(".")
        if group == "custom":
            yield from _errors(Draft7Validator(custom), {name: row["value"]}, place)
        elif row["id"] in self._fields:
            yield from _errors(self._fields[row["id"]], row["value"], place)
        else:
            yield f"{place}: no such option"


def _with(schema: Json, **properties: Json) -> Json:
    return {**schema, "properties": {**schema["properties"], **properties}}


def _loose(schema: Any) -> Any:
    """Without what is required: a panel takes its own value for what a dashboard does not say."""
    if isinstance(schema, dict):
        return {key: _loose(value) for key, value in schema.items() if not (key == "required" and _names(value))}
    return [_loose(one) for one in schema] if isinstance(schema, list) else schema


def _names(value: Any) -> bool:
    return isinstance(value, list)


def _errors(validator: Draft7Validator, value: Any, place: str) -> Iterator[str]:
    for error in validator.iter_errors(value):
        path = ".".join(map(str, error.absolute_path))
        yield f"{place}: {path}: {_brief(error.message)}".replace(": : ", ": ")


def _brief(message: str) -> str:
    """Both ends of it: what is there, and why it may not be."""
    return message if len(message) <= LONGEST else f"{message[: LONGEST // 2]} … {message[-LONGEST // 2 :]}"
