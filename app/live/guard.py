"""Who may look at the web view: everybody on this machine, or whoever knows the token. It answers nobody else.

Programs send `Authorization: Bearer TOKEN`. People type it into a form once, and get a cookie that does not hold it,
for as long as their browser is open; so the token is in no URL, no history and no access log.
"""

import asyncio
import hmac
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web, web_response
from pydantic import SecretStr

from app.api.problem import PREFIX, Handler, problem
from app.live.view import sign_in_page
from app.loopback import is_loopback

OPEN: Final = frozenset({"/healthz", "/readyz"})
"""Asked by machines that know no token; they tell nothing of anybody."""
SIGN_IN: Final = "/sign-in"
COOKIE: Final = "rekindle"
WRONG_TOKEN_S: Final = 1.0
"""So long a wrong token waits for its answer."""

_SCHEME: Final = "Bearer "
_OURS: Final = {"same-origin", "none"}
_READING: Final = {"GET", "HEAD", "OPTIONS"}
_HOW: Final = "this asks for a token: Authorization: Bearer TOKEN"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every answer that does not say otherwise itself."""


class Guard:
    """Stands before all routes.

    Without a token only names of this machine are answered: else a page of somebody else could have its own name point
    here, and read with a browser of this machine (DNS rebinding).
    """

    def __init__(self, token: SecretStr | None) -> None:
        self._token = token.get_secret_value().encode() if token else b""
        self._cookie = hmac.new(self._token, b"rekindle web view", "sha256").hexdigest()

    def add_to(self, app: web.Application) -> None:
        """Stand before the routes of an application."""
        app.middlewares.append(self._check)
        app.on_response_prepare.append(_dress)
        web_response.SERVER_SOFTWARE = "Rekindle"  # type: ignore[attr-defined]  # its versions are nobody's business
        if self._token:
            app.router.add_post(SIGN_IN, self._sign_in)

    @web.middleware
    async def _check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN:
            return await handler(request)
        if not self._token:
            if not _is_for_this_machine(request):
                why = "this answers to localhost and 127.0.0.1 only; REKINDLE_WEB_TOKEN opens it to others"
                return _refused(request, why)
            return await _from_our_pages(request, handler)
        if request.path == SIGN_IN or self._knows_cookie(request):
            return await _from_our_pages(request, handler)
        return await self._check_header(request, handler)

    async def _check_header(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if given.startswith(_SCHEME) and self._is_token(given.removeprefix(_SCHEME)):
            return await handler(request)
        if given:
            await asyncio.sleep(WRONG_TOKEN_S)
        if request.path == "/" and "text/html" in request.headers.get("Accept", ""):
            return _form()
        return _unauthorized(_told(request, HTTPStatus.UNAUTHORIZED, _HOW))

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        """Take the token of the form, and give the cookie for it."""
        if not self._is_token(str((await request.post()).get("token", ""))):
            await asyncio.sleep(WRONG_TOKEN_S)
            return _form(is_wrong=True)
        answer = web.Response(status=303, headers={"Location": "./"})
        is_secure = "https" in {request.scheme, request.headers.get("X-Forwarded-Proto")}
        answer.set_cookie(COOKIE, self._cookie, httponly=True, samesite="Strict", secure=is_secure)
        return answer

    def _knows_cookie(self, request: web.Request) -> bool:
        return _is_same(request.cookies.get(COOKIE, ""), self._cookie.encode())

    def _is_token(self, given: str) -> bool:
        return _is_same(given.strip(), self._token)


def _is_same(given: str, wanted: bytes) -> bool:
    """Takes as long whatever is given: time tells nothing of how much of it is right."""
    return hmac.compare_digest(given.encode(errors="replace"), wanted)


def _is_for_this_machine(request: web.Request) -> bool:
    host = request.headers.get("Host", "")
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


async def _from_our_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nothing is changed for another page, which a browser of somebody who may look has open too."""
    if request.method not in _READING and not _is_from_our_page(request):
        return _refused(request, "asked for by another page")
    return await handler(request)


def _is_from_our_page(request: web.Request) -> bool:
    """Browsers tell where a form was; what tells nothing is no browser."""
    headers = request.headers
    if (site := headers.get("Sec-Fetch-Site")) is not None:
        return site in _OURS
    origin = headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == headers.get("Host")


def _form(*, is_wrong: bool = False) -> web.Response:
    html, policy = sign_in_page(is_wrong=is_wrong)
    # with no-referrer, browsers do not tell our own form from that of another page
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin"}
    return _unauthorized(web.Response(text=html, content_type="text/html", status=401, headers=headers))


def _unauthorized(answer: web.Response) -> web.Response:
    answer.headers["WWW-Authenticate"] = _SCHEME.strip()
    return answer


def _refused(request: web.Request, why: str) -> web.Response:
    return _told(request, HTTPStatus.FORBIDDEN, why)


def _told(request: web.Request, status: HTTPStatus, why: str) -> web.Response:
    """In the words of who asked: a problem document of the API, else a line."""
    if request.path.startswith(PREFIX):
        return problem(status, why)
    return web.Response(text=f"{why}\n", status=status)


async def _dress(_: web.Request, answer: web.StreamResponse) -> None:
    """What every answer says."""
    for name, value in _HEADERS.items():
        answer.headers.setdefault(name, value)
