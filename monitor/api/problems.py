"""What went wrong, as an RFC 9457 problem document: one plain sentence, and never the inside of the house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

PLAIN = {
    400: "The request could not be read.",
    401: "Sign in first.",
    403: "Your role may not do this.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    408: "The request took too long to arrive.",
    413: "The request is too large.",
    415: "Send JSON, not compressed.",
    422: "Something in the request is not as it should be.",
    500: "Something went wrong in the service. What was asked for may not have been done.",
}


class ProblemShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem document. `errors` names the fields that are wrong, `missing` what an act waits for."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    errors: list[FieldShown] | None = None
    missing: list[str] | None = None


class FieldShown(msgspec.Struct, frozen=True):
    """One field that is not as it should be."""

    field: str
    problem: str


class Problem(Exception):  # noqa: N818  a problem document is not an error of ours
    """Raised by a route to answer with a problem document."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        errors: list[FieldShown] | None = None,
        missing: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """A problem with one sentence; without one, the usual sentence of that status."""
        super().__init__(detail)
        self.status = status
        self.detail = detail or PLAIN.get(status, HTTPStatus(status).phrase)
        self.errors = errors
        self.missing = list(missing) or None
        self.headers = dict(headers or {})

    def answer(self) -> Response:
        """The problem as it goes out."""
        title = HTTPStatus(self.status).phrase
        shown = ProblemShown(title, self.status, self.detail, errors=self.errors, missing=self.missing)
        return Response(
            msgspec.json.encode(shown), self.status, self.headers, media_type="application/problem+json"
        )


async def problem_raised(_request: Request, exc: Exception) -> Response:
    """Answer a Problem."""
    if not isinstance(exc, Problem):
        raise TypeError("this answers Problems only")
    return exc.answer()


async def http_error(_request: Request, exc: Exception) -> Response:
    """Answer what the framework itself refuses: an unknown address, a wrong method, unreadable JSON."""
    if not isinstance(exc, HTTPException):
        raise TypeError("this answers HTTPExceptions only")
    return Problem(exc.status_code, headers=exc.headers).answer()


async def not_valid(_request: Request, exc: Exception) -> Response:
    """Answer a body, path or query that is not as it should be; what was sent is not repeated."""
    if not isinstance(exc, RequestValidationError):
        raise TypeError("this answers RequestValidationErrors only")
    errors = [FieldShown(_field(error), _sentence(error)) for error in exc.errors()]
    return Problem(422, errors=errors).answer()


def _field(error: Mapping[str, Any]) -> str:
    place = [str(part) for part in error["loc"] if part not in _NOWHERE]
    return ".".join(place) or "body"


_NOWHERE = {"body", "path", "query", "treatment", "watch"}
"""What the checker says of where it was, and the sender knows nothing of."""


def _sentence(error: Mapping[str, Any]) -> str:
    """The checker's own words are about types; these are about what to enter."""
    sentence = _SENTENCES.get(error["type"], "This is not as it should be.")
    return sentence.format_map(error.get("ctx", {}))


_SENTENCES = {
    "missing": "This is missing.",
    "enum": "Enter {expected}.",
    "literal_error": "Enter {expected}.",
    "union_tag_invalid": "Enter as {discriminator} one of {expected_tags}.",
    "union_tag_not_found": "This is missing: {discriminator}.",
    "bool_type": "Enter true or false.",
    "extra_forbidden": "This is not known here.",
    "greater_than_equal": "Enter at least {ge}.",
    "less_than_equal": "Enter at most {le}.",
    "string_too_short": "This must not be empty.",
    "string_too_long": "This is too long: at most {max_length}.",
    "too_long": "These are too many: at most {max_length}.",
    "value_error": "{error}.",
    "json_invalid": "This is not JSON.",
    "int_parsing": "Enter a whole number.",
    "int_type": "Enter a whole number.",
    "int_from_float": "Enter a whole number.",
    "float_parsing": "Enter a number.",
    "float_type": "Enter a number.",
    "finite_number": "Enter a number.",
}
