"""Where the API takes from what it tells."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agents.rules.rulebook import Rulebook
from app.api.publisher import Publisher
from app.explain.explain import Basis
from app.live.moves_model import Told as MovesTold
from app.live.status import PartitionStatus, Summary
from app.read_model.reader import Reader
from app.settings import Settings
from schemas.control import Told

if TYPE_CHECKING:
    from agents.churn.ensemble import Ensemble


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a worker has.

    `summary`: all partitions added up; `partitions`: each that is known of, and whether Redis answers, without which
    only those of this worker are. `moves`: between states, of all partitions.
    `ensemble`: the newest models, if there are any; `told`: what people told campaigns. `reader`: of users, in Redis;
    `basis`: the rules, to explain their tags.
    `shelf`: whoever reads dead letters has it, for they may be many.
    """

    settings: Settings
    rulebook: Rulebook
    summary: Callable[[], Awaitable[Summary]]
    moves: Callable[[], Awaitable[MovesTold]]
    partitions: Callable[[], Awaitable[tuple[list[PartitionStatus], bool]]]
    ensemble: Callable[[], "Ensemble | None"]
    told: Callable[[], Sequence[Told]]
    publisher: Publisher
    reader: Reader
    basis: Basis
    shelf: asyncio.Lock = field(default_factory=asyncio.Lock)
