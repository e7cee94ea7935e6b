"""GitHub's own description of its API and webhooks, and whether an exchange keeps to it.

OpenAPI 3.0 has a word that JSON Schema lacks, `nullable`; it is translated before anything is held against it.
"""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft4Validator, Draft7Validator, FormatChecker

from bot.sandbox.github.registry import OPERATIONS, Operation
from bot.sandbox.github.server import Exchange

Document = dict[str, Any]
REFERENCE = re.compile(r'"#/components/schemas/([\w-]+)"')
REFUSALS = {"message", "documentation_url", "status", "errors"}
# Sandbox answers that GitHub gives and its description leaves out, each with where they are told.
UNDESCRIBED = {
    401: "docs.github.com/rest/authentication: a wrong token",
    403: "docs.github.com/rest/using-the-rest-api/rate-limits",
    404: "docs.github.com/rest/using-the-rest-api/troubleshooting: what the token may not see",
    410: "logs that were not kept",
    422: "docs.github.com/rest/using-the-rest-api/troubleshooting: validation failed",
    500: "switched on by a test",
    503: "switched on by a test",
}

formats = FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@formats.checks("uri")
def is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)


class Description:
    def __init__(self, folder: Path) -> None:
        self.api: Document = json.loads((folder / "openapi/generated/api.github.com.json").read_text())
        allow_null(self.api)
        self._webhooks: Document = json.loads((folder / "webhooks-schemas/schema.json").read_text())

    def operation(self, method: str, path: str) -> Document | None:
        found: Document | None = self.api["paths"].get(path, {}).get(method.lower())
        return found

    def problems(self, exchange: Exchange) -> list[str]:
        """What of a request and its answer GitHub would not know."""
        operation = match(exchange)
        described = self.operation(operation.method, operation.path)
        if described is None:
            return [f"GitHub has no {operation.method} {operation.path}"]
        asked = [] if exchange.status == 422 else self._request(exchange, described)
        return asked + self._answer(exchange, described)

    def webhook_problems(self, event: str, payload: Document) -> list[str]:
        names = (f"{event}${payload.get('action')}", f"{event}$event", f"{event}_event")
        name = next((one for one in names if one in self._webhooks["definitions"]), None)
        if name is None:
            return [f"GitHub sends no {event} {payload.get('action')}"]
        schema = {"$ref": f"#/definitions/{name}", "definitions": self._webhooks["definitions"]}
        return told(Draft7Validator(schema, format_checker=formats), payload)

    def _request(self, exchange: Exchange, described: Document) -> list[str]:
        known = {one["name"]: one for one in map(self._resolved, described.get("parameters", []))}
        found = []
        for name, text in exchange.query.items():
            if name not in known or known[name]["in"] != "query":
                found.append(f"unknown query parameter {name}")
            else:
                found += told(self._validator(known[name]["schema"]), read_as(known[name]["schema"], text))
        if exchange.body:
            if "requestBody" not in described:
                empty = json.loads(exchange.body) in ({}, None)
                return found if empty else [*found, "a body where none is expected"]
            schema = described["requestBody"]["content"]["application/json"]["schema"]
            body = json.loads(exchange.body)
            # "You can also pass an array of labels directly", says the description, and the schema beside it forgets.
            labels = isinstance(body, list) and exchange.path.endswith("/labels")
            found += told(self._validator(schema), {"labels": body} if labels else body)
        elif described.get("requestBody", {}).get("required"):
            found.append("no body")
        return found

    def _answer(self, exchange: Exchange, described: Document) -> list[str]:
        status = str(exchange.status)
        if status not in described["responses"]:
            if exchange.status not in UNDESCRIBED:
                return [f"GitHub never answers {status} here"]
            return refusal_problems(exchange)
        if exchange.status >= 400:
            return refusal_problems(exchange)
        response = self._resolved(described["responses"][status])
        if not response.get("content"):
            empty = exchange.answer in (b"", b"{}")
            return [] if empty else ["an answer where none is expected"]
        if not exchange.answer:
            return ["an empty answer where one is expected"]
        kinds = response["content"]
        schema = kinds.get("application/json", next(iter(kinds.values()))).get("schema", {})
        return told(self._validator(schema), json.loads(exchange.answer))

    def _resolved(self, described: Document) -> Document:
        if "$ref" in described:
            found: Any = self.api
            for part in described["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            return dict(found)
        return described

    def _validator(self, schema: Document) -> Draft4Validator:
        """The schema with all that it refers to, and nothing else: the whole description takes seconds to crawl."""
        schemas, wanted = {}, set(REFERENCE.findall(json.dumps(schema)))
        while wanted:
            name = wanted.pop()
            schemas[name] = self.api["components"]["schemas"][name]
            wanted |= set(REFERENCE.findall(json.dumps(schemas[name]))) - schemas.keys()
        whole = {"allOf": [schema], "components": {"schemas": schemas}}
        return Draft4Validator(whole, format_checker=formats)


def match(exchange: Exchange) -> Operation:
    """The operation that answered, found as the sandbox finds it."""
    fits = [one for one in OPERATIONS if one.method == exchange.method and one.pattern.fullmatch(exchange.path)]
    return max(fits, key=lambda one: one.literal)


def refusal_problems(exchange: Exchange) -> list[str]:
    body = json.loads(exchange.answer)
    if not {"message", "documentation_url"} <= body.keys() <= REFUSALS:
        return [f"not how GitHub refuses: {body}"]
    wrong = [
        error
        for error in body.get("errors", [])
        if isinstance(error, dict) and not {"resource", "code"} <= error.keys()
    ]
    return [f"not how GitHub names what is wrong: {wrong}"] if wrong else []


def told(validator: Any, value: Any) -> list[str]:
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(value)
    ]


def read_as(schema: Document, text: str) -> Any:
    kinds = {schema.get("type"), *(one.get("type") for one in schema.get("oneOf", []))}
    return int(text) if "integer" in kinds and text.isdecimal() else text == "true" if "boolean" in kinds else text


def allow_null(node: Any) -> None:
    """Translate `nullable` in place."""
    if isinstance(node, list):
        for one in node:
            allow_null(one)
        return
    if not isinstance(node, dict):
        return
    for one in node.values():
        allow_null(one)
    if node.pop("nullable", None) is True:
        if isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
            if "enum" in node and None not in node["enum"]:
                node["enum"].append(None)
        else:
            inner = {name: node.pop(name) for name in ("allOf", "anyOf", "oneOf", "$ref") if name in node}
            if inner:
                node["anyOf"] = [inner, {"type": "null"}]
