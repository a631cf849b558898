"""An audience as a file: CSV, JSON Lines or JSON, page by page, however many users there are."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

from aiohttp import web

from app.api.fields import Field, Told, fields_of
from app.api.files import MEDIA_TYPES, WRITERS, Cells, Format
from app.api.problem import ProblemError
from app.read_model.query import Wanted
from app.read_model.reader import Reader
from schemas.events import UserId

PAGE: Final = 500
"""Users whose rows are read together: some 10 ms of work."""


class Audience(NamedTuple):
    """The tags that users must all have, and those of which they must have none."""

    wanted: Sequence[Wanted]
    unwanted: Sequence[Wanted]


_ACCEPTED: Final[dict[str, Format]] = {"text/csv": "csv", "application/x-ndjson": "jsonl", "application/jsonl": "jsonl"}


def format_of(accept: str) -> Format | None:
    """The file that the header Accept asks for first; None where it is content with a page.

    >>> format_of("text/csv"), format_of("application/x-ndjson, */*;q=0.1"), format_of("application/json, */*")
    ('csv', 'jsonl', None)
    """
    return _ACCEPTED.get(accept.partition(",")[0].partition(";")[0].strip().lower())


class Export:
    """All users of an audience, each with some fields."""

    def __init__(self, reader: Reader, audience: Audience, form: Format, names: Sequence[str]) -> None:
        self._reader = reader
        self._audience = audience
        self._form = form
        try:
            self._fields = fields_of(names)
        except ValueError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from None

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Answer with the file. Where Redis fails meanwhile, the answer breaks off, which clients see."""
        pages = self._pages()
        first = await anext(pages)
        answer = web.StreamResponse(headers={"Content-Disposition": f'attachment; filename="users.{self._form}"'})
        answer.content_type = MEDIA_TYPES[self._form]
        await answer.prepare(request)
        try:
            await self._write(answer, first, pages)
        except Exception:
            if request.transport is not None:
                request.transport.abort()
            raise
        return answer

    async def _write(self, answer: web.StreamResponse, first: list[Cells], pages: AsyncIterator[list[Cells]]) -> None:
        writer = WRITERS[self._form]([field.name for field in self._fields])
        await answer.write(writer.head() + writer.users(first))
        async for page in pages:
            await answer.write(writer.users(page))
        await answer.write(writer.end())
        await answer.write_eof()

    async def _pages(self) -> AsyncIterator[list[Cells]]:
        """Raises ReadModelDownError, and ValueError for tags that cannot be asked for."""
        after: str | None = None
        while True:
            page = await self._reader.audience(*self._audience, after, PAGE)
            rows = await self._reader.rows(page.users)
            yield list(_cells(self._fields, page.users, rows))
            if (after := page.next) is None:
                return
            await asyncio.sleep(0)


def _cells(fields: Sequence[Field], users: Sequence[UserId], rows: Sequence[bytes | None]) -> Iterator[Cells]:
    """What is told of each user; of one who has gone meanwhile nothing."""
    for user_id, encoded in zip(users, rows, strict=True):
        if encoded is not None:
            user = Told(user_id, encoded)
            yield {field.name: field.value(user) for field in fields}
