"""The API's own page, made from its OpenAPI description: no script, nothing from outside."""

from __future__ import annotations

import re
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8886; padding: .75rem 0; }
td code { white-space: nowrap; }
h2 { font: 600 1rem ui-monospace, monospace; margin: 0; overflow-wrap: anywhere; }
p { margin: .25rem 0; }
table { border-collapse: collapse; }
td { text-align: left; padding: .1rem 1rem .1rem 0; }
"""


def page(openapi: dict[str, Any], openapi_url: str) -> str:
    """All paths with their parameters and answers, as HTML."""
    operations = "".join(
        _operation(path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(_schema(name, schema) for name, schema in openapi["components"]["schemas"].items())
    title, text = escape(openapi["info"]["title"]), _text(openapi["info"])
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title} API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style>'
        f'<h1>{title} API</h1><p>{text}</p><p>OpenAPI: <a href="{openapi_url}">{openapi_url}</a></p>'
        f"<main>{operations}<h1>Shapes</h1>{schemas}</main></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(p['name'])}</code><td>{_type(p['schema'])}"
        f"<td>{'required' if p.get('required') else ''}<td>{_text(p)}"
        for p in operation.get("parameters", [])
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    body_line = f"<p>Body: {_type(body)}</p>" if body else ""
    answers = ", ".join(f"{code} {_answer(answer)}" for code, answer in operation["responses"].items())
    return (
        f"<section><h2>{method.upper()} {escape(path)}</h2><p>{_text(operation)}</p>"
        f"{f'<table>{rows}</table>' if rows else ''}{body_line}<p>Answers: {answers}</p></section>"
    )


def _text(described: dict[str, Any]) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(described.get("description", "")))


def _answer(answer: dict[str, Any]) -> str:
    shapes = {_type(content.get("schema", {})) for content in answer.get("content", {}).values()}
    return " ".join(sorted(shapes - {"any"})) or escape(answer.get("description", ""))


def _schema(name: str, schema: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(key)}</code><td>{_type(value)}"
        for key, value in schema.get("properties", {}).items()
    )
    text = _text(schema)
    return f'<section id="{escape(name)}"><h2>{escape(name)}</h2><p>{text}</p><table>{rows}</table></section>'


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(escape(str(value)) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(schema.get("type", "any"))
