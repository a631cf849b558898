"""The table of routes: the router and the OpenAPI document are made of it."""

from functools import cache
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from app.api.campaigns import Campaigns, get_campaigns
from app.api.dead_letters import DeadLetters, DeadLettersQuery, get_dead_letters
from app.api.events import LINES, MOST, Accepted, post_events
from app.api.files import MEDIA_TYPES
from app.api.ledger import Ledger, LedgerQuery, get_ledger
from app.api.models import Models, get_models
from app.api.openapi import encoded
from app.api.partitions import Partitions, get_partitions
from app.api.population import Population, PopulationQuery, get_population
from app.api.redrive import Redriven, RedriveQuery, post_redrive
from app.api.route import JSON, Asked, Route
from app.api.tags import Tags, get_tags
from app.api.user import User, get_user
from app.api.users import Users, UsersQuery, get_users
from app.live.status import Summary
from schemas.events import AnyEvent

DOCUMENT: Final = "/api/openapi.json"
_DOWN: Final = HTTPStatus.SERVICE_UNAVAILABLE


async def get_summary(asked: Asked) -> Summary:
    """What the first page shows."""
    return await asked.sources.summary()


async def get_document(_: Asked) -> web.StreamResponse:
    """The document of this table."""
    return web.Response(body=_document(), content_type=JSON)


@cache
def _document() -> bytes:
    return encoded(ROUTES)


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        path="/api/summary",
        summary="All partitions added up, and the newest changes",
        handle=get_summary,
        answer=Summary,
    ),
    Route(
        method="POST",
        path="/api/events",
        summary="Send one event or a batch",
        detail=f"An event, an array of them, or JSON Lines; at most {MOST:,} events and 1 MiB. Each is checked as a"
        " worker checks it: one that is wrong refuses all, and `errors` says which and why. Answered when the broker"
        " has all of them. After a 503 some may have been written: send the same again, for an event with an event_id"
        " that is known is ignored.",
        handle=post_events,
        answer=Accepted,
        status=HTTPStatus.ACCEPTED,
        body={JSON: AnyEvent | list[AnyEvent], **dict.fromkeys(LINES, str)},
        problems=(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            _DOWN,
        ),
    ),
    Route(
        path="/api/users",
        summary="Who has these tags, and not those",
        detail="A page with the number of all; with `format` all of them as a file, where what a spreadsheet might take"
        " for a formula has an apostrophe before it.",
        handle=get_users,
        answer=Users,
        query=UsersQuery,
        media={media: str for form, media in MEDIA_TYPES.items() if form != "json"},
        problems=(_DOWN,),
    ),
    Route(
        path="/api/users/{user_id}",
        summary="All that is known of one user",
        handle=get_user,
        answer=User,
        parts={"user_id": "as the events have it; a slash is written as %2F"},
        problems=(HTTPStatus.NOT_FOUND, _DOWN),
    ),
    Route(
        path="/api/tags",
        summary="Which tags there are, and how many users have which value",
        handle=get_tags,
        answer=Tags,
        problems=(_DOWN,),
    ),
    Route(
        path="/api/population",
        summary="How many users are in which state, now and at the end of each day, and who went from where to where",
        handle=get_population,
        answer=Population,
        query=PopulationQuery,
    ),
    Route(
        path="/api/ledger",
        summary="What campaigns decided and brought",
        detail="What each number means is told in docs/recall.md.",
        handle=get_ledger,
        answer=Ledger,
        query=LedgerQuery,
    ),
    Route(
        path="/api/campaigns",
        summary="The campaigns of the rules in force, their pauses and runs",
        handle=get_campaigns,
        answer=Campaigns,
    ),
    Route(
        path="/api/partitions",
        summary="Each partition: who runs it, and how far it is",
        handle=get_partitions,
        answer=Partitions,
    ),
    Route(
        path="/api/models",
        summary="The models of churn, and how good each is",
        handle=get_models,
        answer=Models,
    ),
    Route(
        path="/api/dead-letters",
        summary="What could not be used, why, and what has become of it",
        handle=get_dead_letters,
        answer=DeadLetters,
        query=DeadLettersQuery,
        problems=(_DOWN,),
    ),
    Route(
        method="POST",
        path="/api/dead-letters/redrive",
        summary="Send again, once, what can be used by now",
        handle=post_redrive,
        answer=Redriven,
        query=RedriveQuery,
        problems=(_DOWN,),
    ),
    Route(
        path=DOCUMENT,
        summary="This document",
        handle=get_document,
        answer=dict[str, Any],
    ),
)
