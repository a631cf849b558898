"""GET /api/population: how many users are in which state."""

from collections.abc import Mapping

from msgspec import Struct

from app.api.route import Asked
from schemas.changes import TagName
from schemas.times import Millis


class Population(Struct, kw_only=True, frozen=True):
    """Users by lifecycle tag and state, as of the slowest partition's watermark.

    `store`: whether Redis answers; without it only the users of one worker are counted.
    """

    as_of: Millis
    users: Mapping[TagName, Mapping[str, int]]
    store: bool


async def get_population(asked: Asked) -> Population:
    """The population of now."""
    summary = await asked.sources.summary()
    return Population(as_of=summary.watermark, users=summary.users, store=summary.store)
