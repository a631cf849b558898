"""What is logged of errors names their type and place, never what they quote."""

import asyncio
import logging
from io import StringIO
from typing import Final

import pytest
from aiokafka.errors import KafkaConnectionError

from app.discreet import DiscreetFormatter

QUOTED: Final = "user-1"


@pytest.fixture
def log() -> StringIO:
    return StringIO()


@pytest.fixture
def logger(log: StringIO) -> logging.Logger:
    """Formats discreetly what it, and asyncio, are told."""
    handler = logging.StreamHandler(log)
    handler.setFormatter(DiscreetFormatter("%(levelname)s %(message)s"))
    made = logging.Logger("test")  # noqa: LOG001  of this test alone
    made.addHandler(handler)
    return made


def fail() -> None:
    known: dict[str, int] = {}
    try:
        known[QUOTED] += 1
    except KeyError as error:
        raise ValueError(f"no {QUOTED}") from error


def test_a_traceback_says_where_and_of_what_type_but_not_what(logger: logging.Logger, log: StringIO) -> None:
    try:
        fail()
    except ValueError as error:
        logger.exception("crashed: %r", error)  # noqa: TRY401  as mode does
    told = log.getvalue()
    assert told.startswith("ERROR crashed: 'ValueError'\n")
    assert QUOTED not in told
    assert 'raise ValueError(f"no {QUOTED}") from error' in told
    assert "KeyError\nwhich led to\n" in told
    assert told.endswith("ValueError\n")


def test_an_error_given_to_a_message_is_told_by_its_type(logger: logging.Logger, log: StringIO) -> None:
    logger.warning("%s, %r, %d", ValueError(QUOTED), RuntimeError(QUOTED), 7)
    assert log.getvalue() == "WARNING ValueError, 'RuntimeError', 7\n"


def test_what_the_network_says_is_told(logger: logging.Logger, log: StringIO) -> None:
    logger.warning("%s; %s", KafkaConnectionError("no broker"), ConnectionRefusedError(111, "refused"))
    assert "no broker" in log.getvalue()
    assert "refused" in log.getvalue()


def test_an_error_that_nobody_fetched_from_its_task_is_told_by_its_type(
    logger: logging.Logger, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asyncio.base_events.logger", logger)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(_failing())
        await asyncio.wait([task])
        context = {"message": "Task exception was never retrieved", "exception": task.exception(), "task": task}
        loop.call_exception_handler(context)

    asyncio.run(story())
    assert log.getvalue().startswith("ERROR Task exception was never retrieved\n")
    assert log.getvalue().endswith("ValueError\n")
    assert QUOTED not in log.getvalue()


async def _failing() -> None:
    raise ValueError(QUOTED)


def test_another_handler_still_has_the_whole_record(logger: logging.Logger) -> None:
    other = StringIO()
    logger.addHandler(logging.StreamHandler(other))
    logger.warning("%s", ValueError(QUOTED))
    assert other.getvalue() == f"{QUOTED}\n"
