"""The connection to Redis, whoever reads or writes."""

from typing import Any, Final, TypeAlias

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.connection import RedisConnection

Connection: TypeAlias = Any
"""Of redis.asyncio, giving bytes; what its methods give depends on options that its types do not know of."""

DOWN: Final = (RedisError, OSError, TimeoutError)
"""Redis does not answer, or refuses."""
_COMMAND: Final = " of pipeline caused error: "
_ARGUMENTS: Final = ", with args"
_TIMEOUT_S: Final = 2.0


def connect(redis: RedisConnection) -> Connection:
    """A connection that gives up soon; who makes it closes it (`aclose`)."""
    return Redis.from_url(**redis.options(), socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)


def reason(error: BaseException) -> str:
    """Why Redis does not answer, without what it was sent, which it repeats."""
    return str(error).rpartition(_COMMAND)[2].partition(_ARGUMENTS)[0]
