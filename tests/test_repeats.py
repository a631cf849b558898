"""A library's complaint is logged once in a while, our own always."""

import logging

from app.repeats import RepeatsFilter


def record(name: str, message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "", 0, message, args, None)


def test_what_a_library_repeats_is_logged_once_in_ten_seconds_and_counted() -> None:
    # seconds   0   1 .. 9   10          11
    # logged    x            x (9 more)
    now = 0.0
    repeats = RepeatsFilter(every_s=10, clock=lambda: now)
    passed = []
    for second in range(12):
        now = float(second)
        said = record("aiokafka.conn", "no connection to %s", second)
        if repeats.filter(said):
            passed.append(said.getMessage())
    assert passed == ["no connection to 0", "no connection to 10 (9 more like this since the last one)"]


def test_another_message_or_logger_is_another_matter() -> None:
    repeats = RepeatsFilter(clock=lambda: 0.0)
    assert repeats.filter(record("aiokafka.conn", "one"))
    assert repeats.filter(record("aiokafka.conn", "two"))
    assert repeats.filter(record("aiokafka.fetch", "one"))
    assert not repeats.filter(record("aiokafka.conn", "one"))


def test_our_own_messages_pass_always() -> None:
    repeats = RepeatsFilter(clock=lambda: 0.0)
    assert all(repeats.filter(record("app.live.task", "partition %d is restored", number)) for number in (1, 1, 1))
