"""Whatever goes wrong under /api is answered with a problem document, and with nothing of our insides."""

import socket
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from app.api.openapi import document
from app.api.routes import ROUTES
from app.demo.embedded import HOST
from app.live import guard
from app.live.status import Summary
from app.settings import Settings
from tests.api.served import Answer, Served, sources

TOKEN: Final = "a-token-of-the-tests"  # noqa: S105  made up
SOMEBODY: Final = "user-4711"


async def broken() -> Summary:
    raise KeyError(SOMEBODY)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served(known=sources(summary=broken))
    yield served
    served.stop()


def checked(answer: Answer) -> dict[str, Any]:
    """The document, if it is one as it is described."""
    assert answer.headers["content-type"] == "application/problem+json"
    described = document(ROUTES)
    Draft202012Validator({"$ref": "#/components/schemas/Problem", "components": described["components"]}).validate(
        answer.json
    )
    assert answer.json["status"] == answer.status
    assert answer.json["detail"]
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    found: dict[str, Any] = answer.json
    return found


@pytest.mark.parametrize("path", ["/api/", "/api/none", "/api/users/", "/api/%00", "/api/partitions/", "/api//summary"])
def test_a_path_that_there_is_not(served: Served, path: str) -> None:
    assert checked(served.ask(path)) == {
        "type": "about:blank", "title": "Not Found", "status": 404,
        "detail": "there is no such path; /api/openapi.json has them all",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/api/events", "GET", "POST"),
        ("/api/partitions", "DELETE", "GET,HEAD"),
        ("/api/openapi.json", "PUT", "GET,HEAD"),
    ],
)
def test_a_method_that_a_path_does_not_take(served: Served, path: str, method: str, allowed: str) -> None:
    answer = served.ask(path, method)
    assert (checked(answer)["status"], answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/api/partitions?x=1", "there is no parameter 'x' here, nor any other"),
        ("/api/ledger?bye=variant", "there is no parameter 'bye' here; did you mean by?"),
        ("/api/ledger?by=day", "`by`: Invalid enum value 'day'"),
        ("/api/ledger?by=variant&by=channel", "`by` is given more than once"),
        ("/api/dead-letters?limit=0", "`limit`: Expected `int` >= 1"),
        ("/api/dead-letters?limit=1001", "`limit`: Expected `int` <= 1000"),
        ("/api/dead-letters?limit=many", "`limit`: Expected `int`, got `str`"),
        ("/api/dead-letters?limit=", "`limit`: Expected `int`, got `str`"),
        ("/api/dead-letters?payload=perhaps", "`payload`: Expected `bool`, got `str`"),
        ("/api/dead-letters?reason=bad&reason=empty", "`reason`: Invalid enum value 'bad'"),
        ("/api/dead-letters?topic=clicks", "`topic`: Invalid enum value 'clicks'"),
        ("/api/dead-letters?since=yesterday", "`since`: "),
        ("/api/partitions?%FF=1", "there is no parameter "),
        ("/api/partitions?%ED%A0%80=1", "there is no parameter "),
    ],
)
def test_a_parameter_that_is_not_taken(served: Served, path: str, detail: str) -> None:
    found = checked(served.ask(path))
    assert (found["status"], found["detail"][: len(detail)]) == (400, detail)


def test_without_the_token_and_for_another_host(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "WRONG_TOKEN_S", 0.05)
    closed = Served(TOKEN)
    try:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = closed.ask("/api/partitions", headers=headers)
            assert (checked(answer)["status"], answer.headers["www-authenticate"]) == (401, "Bearer")
    finally:
        closed.stop()
    assert checked(served.ask("/api/partitions", headers={"Host": "evil.example"}))["status"] == 403


def test_a_fault_of_ours_tells_nothing_of_users(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    answer = served.ask("/api/summary")
    found = checked(answer)
    assert (found["status"], found["title"]) == (500, "Internal Server Error")
    assert SOMEBODY not in answer.text
    assert "a request to the API failed: KeyError" in caplog.text


def test_a_body_that_is_too_large(served: Served) -> None:
    headers = {"Content-Type": "application/json"}
    assert (
        checked(served.ask("/api/events", "POST", data=BytesIO(b" " * (2**20 + 1)), headers=headers))["status"] == 413
    )


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream"])
def test_a_body_of_another_type(served: Served, media_type: str) -> None:
    found = checked(served.ask("/api/events", "POST", data=b"{}", headers={"Content-Type": media_type}))
    assert (found["status"], media_type in found["detail"]) == (415, True)


@pytest.mark.parametrize(
    ("path", "method"), [("/api/dead-letters", "GET"), ("/api/dead-letters/redrive", "POST"), ("/api/events", "POST")]
)
def test_a_broker_that_is_away(served: Served, path: str, method: str) -> None:
    event = {"type": "click", "event_id": "e", "user_id": "u", "ts": 1, "item_id": "i"}
    body = {"json": event} if path == "/api/events" else {}
    found = checked(served.ask(path, method, **body))
    assert (found["status"], found["title"]) == (503, "Service Unavailable")


def test_a_broker_that_says_nothing_is_waited_for_no_longer_than_said() -> None:
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        served = Served(known=sources(Settings(kafka=f"{HOST}:{port}")))
        try:
            began = time.monotonic()
            event = {"type": "click", "event_id": "e", "user_id": "u", "ts": 1, "item_id": "i"}
            found = checked(served.ask("/api/events", "POST", json=event))
            assert time.monotonic() - began < 14
            assert found["status"] == 503
            assert "event_id" in found["detail"]
        finally:
            served.stop()
