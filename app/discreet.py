"""Logs without personal data: of an error its type and its place, not its text, which may quote an event.

What networks and files say of themselves (OSError, KafkaError) holds nothing of events, and stays.
"""

import logging
from collections.abc import Iterator
from traceback import format_tb
from types import TracebackType
from typing import Any, Final, TypeAlias

from aiokafka.errors import KafkaError

_HARMLESS: Final = (OSError, KafkaError)

_ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)  # as logging hands it over


class DiscreetFormatter(logging.Formatter):
    """Formats records so that no error's text is in them, whoever logged it."""

    def format(self, record: logging.LogRecord) -> str:
        """One record; of a message beside an error the first line: asyncio puts the error's text into the others."""
        told = logging.makeLogRecord(record.__dict__)
        told.exc_text = None
        if isinstance(told.args, tuple):
            told.args = tuple(map(_without_text, told.args))
        if told.exc_info:
            told.msg, told.args = told.getMessage().partition("\n")[0], ()
        return super().format(told)

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802  logging's name
        """Where it happened, and the types of the error and of those that led to it."""
        _, error, trace = ei
        return "\n".join(_story(error, trace)) if error else ""


def in_words(error: BaseException | None) -> str:
    """What may be said of an error.

    >>> in_words(KeyError("user-1")), in_words(OSError("host unreachable"))
    ('KeyError', 'OSError: host unreachable')
    """
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, _HARMLESS) and str(error) else name


def _without_text(argument: Any) -> Any:
    return in_words(argument) if isinstance(argument, BaseException) else argument


def _story(error: BaseException, trace: TracebackType | None) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _story(before, before.__traceback__)
        yield "which led to"
    yield "".join(format_tb(trace)) + in_words(error)
