"""What an answer says that is none: a problem document (RFC 9457), with one sentence that says what to do.

`detail` is the sentence; of a query that cannot be read, `column` says where, and `suggestion` what was perhaps meant.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from web.api.crossing import CROSSING

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 30  # as long as a statement waits for the database

_MEANT: Mapping[int, str] = {
    400: "The query, the place or the order cannot be read; `detail` says why",
    404: "There is no such thing here",
    422: "A parameter is not as described here; `detail` names it",
    429: "Too many requests; `Retry-After` says in how many seconds to ask again",
    503: "The archive does not answer just now; `Retry-After` says in how many seconds to ask again",
}
_SECONDS = {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds", "required": True}


class Problem(BaseModel):
    """Why there is no answer (RFC 9457)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(default="about:blank", description="Always about:blank: the status says what kind it is.")
    title: str = Field(description="The status in words.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="One sentence: what is wrong, and what to do.")
    column: int | None = Field(default=None, ge=1, description="Where in the query, counted from 1 in characters.")
    suggestion: str | None = Field(default=None, description="A query that can be read and may be what was meant.")


def problem(
    status: int,
    detail: str,
    *,
    column: int | None = None,
    suggestion: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem as an answer."""
    told = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, column=column, suggestion=suggestion or None
    )
    body = told.model_dump_json(exclude_none=True)
    return Response(body, status, {**CROSSING, "X-Robots-Tag": "noindex", **(headers or {})}, MEDIA_TYPE)


def described(statuses: Sequence[int]) -> dict[int | str, dict[str, Any]]:
    """Return what the description of a route says of these problems."""
    schema = {"$ref": "#/components/schemas/Problem"}
    told: dict[int | str, dict[str, Any]] = {
        status: {"description": _MEANT[status], "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses
    }
    for status in {429, 503} & set(statuses):
        told[status]["headers"] = {"Retry-After": _SECONDS}
    return told
