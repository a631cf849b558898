"""GET /api/population: how many users are in which state, at the end of each day, and who went from where to where."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from app.api.route import Asked
from app.moves import StatesByDay, flows, population
from app.population import Move, State
from schemas.changes import TagName
from schemas.times import Millis

DAYS: Final = 30


class PopulationQuery(Struct, kw_only=True, frozen=True):
    """Which UTC days are told."""

    since: Annotated[date | None, Meta(description=f"the first day; else {DAYS} days, up to the last")] = None
    until: Annotated[date | None, Meta(description="the last day; else the one that time has reached")] = None


class Flow(Struct, kw_only=True, frozen=True):
    """How often users went from one state to another; null: not known before, or erased after."""

    from_: State | None = field(name="from")
    to: State | None
    users: int


class Lifecycle(Struct, kw_only=True, frozen=True):
    """Users in each state at the end of each day, and all moves of these days."""

    days: Sequence[date]
    users: Mapping[State, Sequence[int]]
    flows: Sequence[Flow]

    @classmethod
    def of(cls, states: StatesByDay, moved: Mapping[Move, int], since: date, until: date) -> "Lifecycle":
        """One lifecycle in some days, as far as they are known."""
        days, users = states
        chosen = [place for place, day in enumerate(days) if since <= day <= until]
        return cls(
            days=[days[place] for place in chosen],
            users={state: [counts[place] for place in chosen] for state, counts in users.items()},
            flows=[Flow(from_=f, to=t, users=count) for (f, t), count in moved.items()],
        )


class Population(Struct, kw_only=True, frozen=True):
    """Users by lifecycle tag and state, as of the slowest partition's watermark, and by day.

    `store`: whether Redis answers; without it only the users of one worker are counted. Days are up to five seconds
    older, and those of so many `partitions`.
    """

    as_of: Millis
    users: Mapping[TagName, Mapping[str, int]]
    store: bool
    partitions: int
    lifecycles: Mapping[TagName, Lifecycle]


async def get_population(asked: Asked) -> Population:
    """The population of now, and of the days asked for."""
    summary, told = await asked.sources.summary(), await asked.sources.moves()
    until = asked.query.until or date(1970, 1, 1) + timedelta(days=told.moves.last)
    since = asked.query.since or date.fromordinal(max(until.toordinal() - DAYS + 1, 1))
    return Population(
        as_of=summary.watermark,
        users=summary.users,
        store=summary.store and told.store,
        partitions=told.partitions,
        lifecycles={
            tag: Lifecycle.of(states, flows(told.moves, tag, since, until), since, until)
            for tag, states in population(told.moves).items()
        },
    )
