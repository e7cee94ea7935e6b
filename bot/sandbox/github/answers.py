"""How GitHub answers: bodies, pages of lists, and what it refuses."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

Document = dict[str, Any]
DOCUMENTATION = "https://docs.github.com/rest"
MOST_A_PAGE = 100


class ApiError(Exception):
    """`errors` are what GitHub names one by one in a 422: {"resource", "field", "code"}."""

    def __init__(
        self, code: int, message: str, errors: Sequence[Document | str] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.errors = list(errors)
        self.headers = dict(headers or {})


def not_found() -> ApiError:
    return ApiError(404, "Not Found")


def invalid(resource: str, name: str, code: str = "missing_field", message: str = "") -> ApiError:
    """A 422 about one field."""
    error = {"resource": resource, "field": name, "code": code}
    return ApiError(422, "Validation Failed", [error | {"message": message} if message else error])


def refusal(error: ApiError) -> JSONResponse:
    body: Document = {"message": error.message, "documentation_url": DOCUMENTATION, "status": str(error.code)}
    if error.errors:
        body["errors"] = error.errors
    return JSONResponse(body, status_code=error.code, headers=error.headers)


@dataclass(frozen=True)
class Answer:
    """A body of None is an empty answer."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """Items that are told page by page: `shape` draws those of the page only.

    With `key` they stand in an object beside their `total_count`, as runs, jobs, check runs and search results do.
    """

    items: Sequence[Any]
    shape: Callable[[Any], Any]
    key: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    turned_by: str = "page"


def page_of(listing: Listing, query: Mapping[str, str], url: str) -> Answer:
    """One page and the Link header to its neighbours."""
    size = max(1, min(MOST_A_PAGE, _number(query.get("per_page"), 30)))
    page = max(1, _number(query.get(listing.turned_by), 1))
    last = max(1, -(-len(listing.items) // size))
    drawn = [listing.shape(item) for item in listing.items[(page - 1) * size : page * size]]
    body = {"total_count": len(listing.items), **listing.more, listing.key: drawn} if listing.key else drawn
    links = []
    if page < last:
        links += [(page + 1, "next"), (last, "last")]
    if page > 1:
        links += [(page - 1, "prev"), (1, "first")]
    kept = {name: value for name, value in query.items() if name != listing.turned_by}
    named = [f'<{url}?{urlencode(kept | {listing.turned_by: number})}>; rel="{name}"' for number, name in links]
    return Answer(body, headers={"Link": ", ".join(named)} if named else {})


def response_of(answer: Answer, if_none_match: str) -> Response:
    """The answer on the wire, with the ETag by which a client asks again."""
    if answer.body is None:
        return Response(status_code=answer.status, headers=dict(answer.headers))
    content = json.dumps(answer.body, ensure_ascii=False).encode()
    tag = f'W/"{hashlib.sha256(content).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=60, s-maxage=60", **answer.headers}
    if answer.status == 200 and if_none_match == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, status_code=answer.status, headers=headers, media_type="application/json; charset=utf-8")


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() else otherwise
