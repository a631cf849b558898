"""`simulate-messaging` and `ledger` say in one line what is wrong."""

import pytest
from typer.testing import CliRunner

from app.cli import app


def complaint(*arguments: str, **settings: str) -> str:
    environment = {f"REKINDLE_{name.upper()}": value for name, value in settings.items()}
    done = CliRunner().invoke(app, arguments, env=environment)
    assert done.exit_code == 2, done.output
    return done.stderr.removeprefix("rekindle: ")


def test_a_rate_that_is_none_is_told_with_an_example() -> None:
    assert complaint("simulate-messaging", "--rate", "fax.opened=2").startswith("--rate: 'fax.opened=2' is no rate")


def test_without_campaigns_there_is_nothing_to_answer() -> None:
    assert "REKINDLE_RULES is none" in complaint("simulate-messaging", rules="none")


@pytest.mark.parametrize("command", ["simulate-messaging", "ledger"])
def test_a_broker_that_is_not_there_is_told(command: str) -> None:
    told = complaint(command, kafka="127.0.0.1:1")
    assert told.splitlines()[-1].count("no Kafka broker answers at 127.0.0.1:1") == 1
    assert "Traceback" not in told


def test_a_system_that_is_not_there_is_told(embedded_kafka: str) -> None:
    told = complaint("ledger", kafka=embedded_kafka, app_id="nobody")
    assert told.startswith("there is no topic nobody-changelog")
