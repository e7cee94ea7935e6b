"""The page at /docs: the OpenAPI document as plain HTML, with nothing from elsewhere and no script."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Document = Mapping[str, Any]

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 54rem; margin: 2rem auto; padding: 0 1rem; }
h2 { border-top: 1px solid #8886; margin-top: 2.5rem; padding-top: 1.2rem; font-size: 1.1rem; }
h2 b { display: inline-block; min-width: 4.5rem; }
code, pre { font: 0.85rem/1.5 ui-monospace, monospace; }
pre { background: #8882; padding: 0.8rem; overflow: auto; border-radius: 6px; }
td, th { text-align: left; padding: 0.15rem 1rem 0.15rem 0; vertical-align: top; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page(document: Document, base_url: str) -> str:
    """`base_url` is where the reader reached the server; the examples call it."""
    parts = [part for path, methods in document["paths"].items() for part in _path(path, methods, document, base_url)]
    title = escape(str(document["info"]["title"]))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}: HTTP</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style><h1>{title}: HTTP</h1>'
        f"<p>{escape(str(document['info'].get('description', '')))}</p>"
        '<p>The same as OpenAPI: <a href="openapi.json">openapi.json</a></p>' + "".join(parts)
    )


def _path(path: str, methods: Document, document: Document, base_url: str) -> Iterator[str]:
    for method, operation in methods.items():
        yield f"<h2><b>{escape(method.upper())}</b> <code>{escape(path)}</code></h2>"
        yield f"<p>{escape(str(operation.get('description') or operation.get('summary', '')))}</p>"
        yield from _parameters(operation)
        for kind, body in (operation.get("requestBody") or {}).get("content", {}).items():
            shape = json.dumps(_resolved(body.get("schema") or {}, document), indent=1, ensure_ascii=False)
            yield f"<p>Body, <code>{escape(kind)}</code>:</p><pre>{escape(shape)}</pre>"
        yield "<table>" + "".join(_answers(operation)) + "</table>"
        yield f"<pre>{escape(_example(method, path, operation, base_url))}</pre>"


def _parameters(operation: Document) -> Iterator[str]:
    for parameter in operation.get("parameters", []):
        words = f"<code>{escape(parameter['name'])}</code> ({escape(parameter['in'])})"
        yield f"<p>{words} {escape(str(parameter.get('description', '')))}</p>"


def _answers(operation: Document) -> Iterator[str]:
    for status, answer in operation.get("responses", {}).items():
        yield f"<tr><th>{escape(status)}</th><td>{escape(str(answer.get('description', '')))}</td></tr>"


def _example(method: str, path: str, operation: Document, base_url: str) -> str:
    lines = [f"curl -X {method.upper()} {base_url.rstrip('/')}{path}"]
    if operation.get("security"):
        lines.append('-H "Authorization: Bearer $TOKEN"')
    body = (operation.get("requestBody") or {}).get("content", {}).get("application/json", {})
    if example := body.get("example") or (body.get("schema") or {}).get("example"):
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(example, ensure_ascii=False)}'"]
    return " \\\n  ".join(lines)


def _resolved(schema: Any, document: Document, depth: int = 0) -> Any:
    """The schema with what it refers to put in its place, a few levels deep."""
    if isinstance(schema, list):
        return [_resolved(one, document, depth) for one in schema]
    if not isinstance(schema, Mapping) or depth > 6:
        return schema
    if reference := schema.get("$ref"):
        found: Any = document
        for part in str(reference).removeprefix("#/").split("/"):
            found = found.get(part, {})
        return _resolved(found, document, depth + 1)
    return {name: _resolved(value, document, depth + 1) for name, value in schema.items() if name != "title"}
