"""Who may look: without a token this machine alone, with one whoever knows it; and what every answer says."""

import json
import re
import socket
from collections.abc import Awaitable, Callable, Iterator
from io import BytesIO
from typing import Final

import pytest
from pydantic import SecretStr

from app.demo.embedded import HOST
from app.live import guard
from app.live.guard import COOKIE
from app.settings import SettingsError
from tests.api.served import Served
from tests.servers import Given

TOKEN: Final = "a-token-of-the-tests"  # noqa: S105  made up
BROWSER: Final = {"Accept": "text/html,application/xhtml+xml"}
SECRET_PATHS: Final = ("/", "/metrics", "/api/summary", "/none", "/healthz/", "//healthz", "/healthz/../metrics")


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "WRONG_TOKEN_S", 0.05)


@pytest.fixture(scope="module")
def closed() -> Iterator[Served]:
    """With a token."""
    served = Served(TOKEN)
    yield served
    served.stop()


@pytest.fixture(scope="module")
def local() -> Iterator[Served]:
    """Without one."""
    served = Served(None)
    yield served
    served.stop()


def signed_in(served: Served) -> str:
    """The cookie that the form gives for the token."""
    _, headers, _ = served.ask("/sign-in", "POST", data={"token": TOKEN})
    return headers["set-cookie"].split(";")[0]


def said(text: str) -> str:
    """What a refusal says: a line, or the detail of a problem document."""
    return str(json.loads(text)["detail"]) if text.startswith("{") else text.removesuffix("\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_without_a_token(closed: Served, path: str) -> None:
    assert closed.status(path) in {200, 503}
    assert closed.status(path, Host="10.0.0.7:6066") in {200, 503}


@pytest.mark.parametrize("path", SECRET_PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": "Bearer "},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer t\xf6ken"},
        {"Cookie": f"{COOKIE}={TOKEN}"},
        {"Cookie": f"{COOKIE}="},
    ],
)
def test_nothing_else_is_told_without_the_token(closed: Served, path: str, headers: dict[str, str]) -> None:
    status, found, text = closed.ask(path, headers=headers)
    assert status == 401
    assert found["www-authenticate"] == "Bearer"
    assert said(text) == "this asks for a token: Authorization: Bearer TOKEN"


def test_the_token_is_not_taken_from_a_url(closed: Served) -> None:
    assert closed.status(f"/api/summary?token={TOKEN}") == 401


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/summary"])
def test_whoever_knows_the_token_is_answered(closed: Served, path: str) -> None:
    assert closed.status(path, Authorization=f"Bearer {TOKEN}") == 200
    assert closed.status(path, Authorization=f"Bearer {TOKEN}", Host="rekindle.example:6066") == 200


def test_a_person_gets_a_form_and_with_the_token_a_cookie_that_does_not_hold_it(closed: Served) -> None:
    status, _, text = closed.ask("/", headers=BROWSER)
    assert (status, '<form method="post" action="sign-in">' in text) == (401, True)
    status, headers, _ = closed.ask("/sign-in", "POST", data={"token": f" {TOKEN} "})
    assert (status, headers["location"]) == (303, "./")
    cookie, *options = (part.strip() for part in headers["set-cookie"].split(";"))
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=Strict"} <= set(options)
    assert not any(option.startswith(("Max-Age", "expires", "Expires")) for option in options)
    assert closed.status("/", Cookie=cookie) == 200
    assert closed.status("/api/summary", Cookie=cookie) == 200
    assert closed.status("/api/summary", Cookie=cookie[:-1]) == 401


def test_behind_a_proxy_with_tls_the_cookie_is_for_tls_only(closed: Served) -> None:
    _, headers, _ = closed.ask("/sign-in", "POST", data={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in headers["set-cookie"]


def test_the_cookie_of_another_token_is_worth_nothing(closed: Served) -> None:
    other = Served(TOKEN + "-2")
    try:
        assert other.status("/", Cookie=signed_in(closed)) == 401
    finally:
        other.stop()


def test_a_wrong_token_gets_the_form_again_after_a_while(closed: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(guard, "asyncio", type("Clock", (), {"sleep": staticmethod(_noting(waited))}))
    status, headers, text = closed.ask("/sign-in", "POST", data={"token": "wrong"})
    assert (status, "That is not the token" in text, "set-cookie" in headers) == (401, True, False)
    assert closed.status("/metrics", Authorization="Bearer wrong") == 401
    assert waited == [guard.WRONG_TOKEN_S] * 2
    assert closed.status("/metrics") == 401
    assert closed.status("/metrics", Authorization=f"Bearer {TOKEN}") == 200
    assert len(waited) == 2


def _noting(waited: list[float]) -> Callable[[float], Awaitable[None]]:
    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    return sleep


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "rekindle.example", "Origin": "http://rekindle.example"}, 303),
        ({"Host": "rekindle.example", "Origin": "http://evil.example"}, 403),
        ({"Host": "rekindle.example", "Origin": "null"}, 403),
    ],
)
def test_the_form_of_another_page_is_refused(closed: Served, headers: dict[str, str], status: int) -> None:
    assert closed.ask("/sign-in", "POST", data={"token": TOKEN}, headers=headers)[0] == status


def test_a_form_that_is_none_does_no_harm(closed: Served) -> None:
    assert closed.ask("/sign-in", "POST", data=b"\xff\x00", headers={"Content-Type": "text/plain"})[0] == 401
    large, form = BytesIO(b"token=" + b"x" * 2_000_000), {"Content-Type": "application/x-www-form-urlencoded"}
    assert closed.ask("/sign-in", "POST", data=large, headers=form)[0] == 413


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_what_is_only_read_cannot_be_changed(closed: Served, method: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": "http://evil.example"}
    status, found, _ = closed.ask("/api/summary", method, headers=headers)
    assert (status, found["content-type"]) == (405, "application/problem+json")
    assert not any(name.startswith("access-control") for name in found)


OTHER_PAGES: Final = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", OTHER_PAGES)
@pytest.mark.parametrize("path", ["/api/events", "/api/dead-letters/redrive"])
def test_another_page_in_the_same_browser_can_send_nothing(
    closed: Served, local: Served, path: str, headers: dict[str, str]
) -> None:
    for served, known in ((local, {}), (closed, {"Cookie": signed_in(closed)})):
        status, found, text = served.ask(path, "POST", headers={**headers, **known}, json=[])
        assert (status, found["content-type"]) == (403, "application/problem+json")
        assert said(text) == "asked for by another page"


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
def test_our_own_pages_and_programs_can(closed: Served, local: Served, headers: dict[str, str]) -> None:
    assert local.ask("/api/events", "POST", headers=headers, json=[])[0] == 400
    cookie = {"Cookie": signed_in(closed)}
    assert closed.ask("/api/events", "POST", headers={**headers, **cookie}, json=[])[0] == 400


def test_nothing_is_taken_without_the_token(closed: Served) -> None:
    assert closed.ask("/api/events", "POST", json=[])[0] == 401
    assert closed.ask("/api/dead-letters/redrive", "POST")[0] == 401


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:6066", "127.0.0.1", "127.0.0.1:6066", "127.1.2.3", "[::1]", "[::1]:6066"]
)
def test_without_a_token_this_machine_is_answered(local: Served, host: str) -> None:
    assert local.status("/api/summary", Host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:6066", "10.0.0.7", "0.0.0.0",  # noqa: S104  asked for, not bound "localhost.evil.example", "127.0.0.1.evil.example",
     "[::1", "localhost@evil.example", "evil.example@evil.example", "[::2]", ""],
)  # fmt: skip
def test_without_a_token_another_name_that_points_here_is_refused(local: Served, host: str) -> None:
    for path in ("/", "/api/summary", "/metrics", "/none"):
        status, _, text = local.ask(path, headers={"Host": host})
        assert (status, said(text)[:20]) == (403, "this answers to loca"), host


def test_without_a_token_there_is_nothing_to_sign_in_to(local: Served) -> None:
    assert local.ask("/sign-in", "POST", data={"token": ""})[0] == 404


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/api/summary", "/none", "/%00"])
@pytest.mark.parametrize("headers", [{}, {"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_every_answer_says_how_it_may_be_used_and_not_what_made_it(
    local: Served, closed: Served, path: str, headers: dict[str, str]
) -> None:
    for served in (local, closed):
        _, found, _ = served.ask(path, headers=headers)
        assert found["x-content-type-options"] == "nosniff"
        assert found["referrer-policy"] == "no-referrer"
        assert found["x-frame-options"] == "DENY"
        assert found["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in found["content-security-policy"]
        assert found["server"] == "Rekindle"
        assert not any(name.startswith("access-control") for name in found)


def test_what_is_no_http_is_not_told_a_version(local: Served) -> None:
    with socket.create_connection((HOST, local.port), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n")
        told = client.recv(4096)
    assert b" 400 " in told
    assert not re.search(rb"aiohttp|Python", told)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "rekindle.example", ""])  # noqa: S104  nobody listens there
def test_who_can_be_reached_from_elsewhere_needs_a_token(given: Given, host: str) -> None:
    with pytest.raises(SettingsError, match=r"^REKINDLE_WEB_TOKEN .* needs a token; `openssl rand -hex 24` makes a"):
        given(web_host=host)
    with pytest.raises(SettingsError, match="needs a token"):
        given(web_host=host, web_token="")
    assert given(web_host=host, web_token=TOKEN).web_token == SecretStr(TOKEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_on_this_machine_alone_a_token_may_be_left_out(given: Given, host: str) -> None:
    assert given(web_host=host).web_token is None
    assert given(web_host=host, web_token="").web_token is None
    assert given(web_host=host, web_token=TOKEN).web_token == SecretStr(TOKEN)


@pytest.mark.parametrize("token", ["x" * 15, "a token with some spaces", "sixteen-or-more-\xe4", "x" * 20 + "\n"])
def test_a_token_that_is_easily_guessed_or_cannot_be_sent_is_refused_and_not_shown(given: Given, token: str) -> None:
    with pytest.raises(SettingsError, match="at least 16 ASCII characters") as refused:
        given(web_token=token)
    assert token not in str(refused.value)
    assert "\n" not in str(refused.value)
