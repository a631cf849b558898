"""What is wrong with a request, or with us, as a problem document (RFC 9457); never a stack trace."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from app.discreet import in_words
from app.read_model.reader import ReadModelDownError
from app.topics import BrokerError
from schemas.dead_letter import DeadReason

MEDIA_TYPE: Final = "application/problem+json"
PREFIX: Final = "/api/"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOG: Final = logging.getLogger(__name__)


class WrongEvent(Struct, frozen=True):
    """Why one event of a batch was refused: its place, from 0, and the reason that a dead letter would have."""

    index: int
    reason: DeadReason
    detail: str


class Problem(Struct, kw_only=True, frozen=True):
    """A problem document. `title` is that of the status, `detail` one or two sentences for people.

    `errors`: of events that were posted, those that are wrong.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[WrongEvent] | UnsetType = UNSET


class ProblemError(Exception):
    """Ends a request with a problem document."""

    def __init__(self, status: HTTPStatus, detail: str, errors: list[WrongEvent] | UnsetType = UNSET) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors


def problem(status: HTTPStatus, detail: str, errors: list[WrongEvent] | UnsetType = UNSET) -> web.Response:
    """The answer with a problem document."""
    document = Problem(title=status.phrase, status=status, detail=detail, errors=errors)
    return web.Response(status=status, body=msgspec.json.encode(document), content_type=MEDIA_TYPE)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer whatever goes wrong under /api with a problem document."""
    if not request.path.startswith(PREFIX):
        return await handler(request)
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001  whatever it is, who asked gets an answer in the agreed form
        return _answer_to(error)


def _answer_to(error: Exception) -> web.Response:
    match error:
        case ProblemError():
            return problem(error.status, error.detail, error.errors)
        case web.HTTPError():
            return _of_http(error)
        case BrokerError():
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        case ReadModelDownError():
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "Redis does not answer, and users are read from there")
        case _:
            _LOG.error("a request to the API failed: %s", in_words(error), exc_info=error)
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "this should not happen: the worker's log says where")


_DETAILS: Final = {
    HTTPStatus.NOT_FOUND: "there is no such path; /api/openapi.json has them all",
    HTTPStatus.METHOD_NOT_ALLOWED: "this path does not take the method; the header Allow says which it takes",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is larger than 1 MiB; send it in parts",
}


def _of_http(error: web.HTTPError) -> web.Response:
    """What the router or the reader of the body refused."""
    status = HTTPStatus(error.status)
    answer = problem(status, _DETAILS.get(status, status.description))
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer
