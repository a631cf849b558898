"""GET /api/users/{user_id}: all that is known of one user, whichever worker is asked."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

from app.api.problem import ProblemError
from app.api.route import Asked
from app.api.sources import Sources
from app.api.user_parts import Asset, Preference, RecallShown, ScoreShown, WindowShown, parts_of
from app.explain import explanation as told
from app.explain.explain import explain
from app.explain.known import Known, moment_of
from app.explain.trail import Trail
from schemas.changes import TagChange
from schemas.events import UserId
from schemas.partitioner import partition_of
from schemas.times import Millis
from tables.row import Row


class User(Struct, kw_only=True, frozen=True):
    """One user as of a moment.

    - `partition`: where the user lives; `rules_version`: of the rules that give the reasons
    - `tags`: those that have a value, with why; `valueless`: those that have none; `events` behind them are told by
      `rekindle explain` alone
    - `score`: how likely the user is to stay away, as it was last said; `outlook`: as of now, with the reasons
    - `due`: decisions of campaigns that are still to be taken; `recalls`: what was triggered, the newest first
    - `said`: what was said of the user lately, the newest first: records as their topics have them, with `kind`
      (change, decision, trigger, score) and `said_at` (the clock on the wall, ms)
    """

    user_id: UserId
    partition: int
    as_of: Millis
    rules_version: int
    notes: list[str]
    profile: told.Profile
    tags: list[told.Tag]
    valueless: list[told.Valueless]
    windows: list[WindowShown]
    preferences: Mapping[str, list[Preference]]
    attributes: Mapping[str, Asset]
    consent: Mapping[str, Asset]
    reachable: Asset | None
    registered_at: Millis | None
    messages: Mapping[str, int]
    score: ScoreShown | None
    outlook: told.Outlook | None
    due: list[RecallShown]
    recalls: list[RecallShown]
    said: list[dict[str, Any]]


async def get_user(asked: Asked) -> User:
    """What Redis has of a user, explained; the row is as of the last half second."""
    sources, user_id = asked.sources, asked.request.match_info["user_id"]
    row = await sources.reader.row(user_id)
    if row is None:
        raise await _unknown(sources)
    said = await sources.reader.trail(user_id)
    partition = partition_of(user_id.encode(), sources.settings.partitions)
    known, _ = await sources.partitions()
    watermark = max((status.watermark for status in known if status.partition == partition), default=0)
    return await asyncio.to_thread(_told, sources, user_id, row, watermark, said)


async def _unknown(sources: Sources) -> ProblemError:
    if await sources.reader.is_whole():
        return ProblemError(HTTPStatus.NOT_FOUND, "no such user is known: never heard of, or erased")
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "no such user is in Redis, but not all are yet: ask again (or is REKINDLE_READ_MODEL false?)",
    )


def _told(sources: Sources, user_id: UserId, row: Row, watermark: Millis, said: list[dict[str, Any]]) -> User:
    """In a thread: the models' reasons take some time."""
    changes = [msgspec.convert(each, TagChange) for each in said if each["kind"] == "change"]
    as_of, partition = moment_of(row, watermark), partition_of(user_id.encode(), sources.settings.partitions)
    found = explain(Known(user_id, row, as_of, changes, Trail(), "Redis"), sources.basis)
    return User(
        user_id=user_id,
        partition=partition,
        as_of=as_of,
        rules_version=found.rules_version,
        notes=found.notes,
        profile=found.profile,
        tags=found.tags,
        valueless=found.valueless,
        outlook=_outlook(sources, row, as_of),
        said=said[::-1],
        **parts_of(row, user_id, as_of),
    )


def _outlook(sources: Sources, row: Row, as_of: Millis) -> told.Outlook | None:
    ensemble = sources.ensemble()
    if ensemble is None:
        return None
    from app.explain.outlook import outlook_by  # noqa: PLC0415  only who has models has their libraries

    return outlook_by(ensemble, row, as_of)
