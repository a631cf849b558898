"""GET /api/users: who has these tags and not those, a page at a time, or all of them as a file."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import unquote

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType, field

from app.api.export import Audience, Export, format_of
from app.api.files import Format
from app.api.problem import ProblemError
from app.api.route import Asked
from app.read_model.query import Wanted
from schemas.events import UserId

Tag = Annotated[
    list[str],
    Meta(
        description="a tag, or tag:value (vip, vip:gold, repurchase.due:true); may be repeated. In the name of a tag, a"
        " colon is written as %3A and a per cent sign as %25, each encoded once more for the URL"
    ),
]


class UsersQuery(Struct, kw_only=True, frozen=True):
    """Users with all of the tags `tag`, and none of `not`; without any, everybody."""

    tag: Tag = []
    not_: Tag = field(default_factory=list, name="not")
    limit: Annotated[int, Meta(ge=1, le=1_000, description="users of a page")] = 100
    after: Annotated[str, Meta(description="where the page begins: `next` of the one before")] | UnsetType = UNSET
    format: (
        Annotated[Format, Meta(description="all users as a file; the header Accept asks for csv and jsonl too")]
        | UnsetType
    ) = UNSET
    field: Annotated[
        list[str],
        Meta(
            description="of a file: user_id, tags, tag.NAME, attributes, attribute.NAME, consent, reachable,"
            " first_activity, last_activity, orders, spend, p_inactive; default: user_id and tags"
        ),
    ] = []


class Users(Struct, kw_only=True, frozen=True):
    """A page of users, by partition and name; `next`: goes into `after`, null on the last page.

    `count`: how many there are on all pages. `whole`: whether Redis has all users yet.
    """

    count: int
    users: list[UserId]
    next: str | None
    whole: bool


async def get_users(asked: Asked) -> Users | web.StreamResponse:
    """A page, or with `format` a file."""
    query: UsersQuery = asked.query
    reader = asked.sources.reader
    audience = Audience([wanted(each) for each in query.tag], [wanted(each) for each in query.not_])
    found = query.format or format_of(asked.request.headers.get("Accept", ""))
    try:
        if found is not None:
            return await Export(reader, audience, found, query.field).send(asked.request)
        page = await reader.audience(*audience, query.after or None, query.limit)
        count = await reader.count(*audience)
    except ValueError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from None
    return Users(count=count, users=page.users, next=page.next, whole=await reader.is_whole())


def wanted(text: str) -> Wanted:
    """A tag, and its value; None: any.

    >>> wanted("vip"), wanted("vip:gold"), wanted("time:12:30"), wanted("odd%3Aname:x")
    (('vip', None), ('vip', 'gold'), ('time', '12:30'), ('odd:name', 'x'))
    """
    name, colon, value = text.partition(":")
    if not name:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{text!r} names no tag: write tag or tag:value")
    return unquote(name), value if colon else None
