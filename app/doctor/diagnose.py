"""All checks, one after the other."""

from collections.abc import Sequence

from app.doctor.check import Check, Level
from app.doctor.kafka import kafka_checks
from app.doctor.machine import origins, packages, python, store, web
from app.settings import SettingsError, load


def diagnose() -> list[Check]:
    """All checks, in the order in which things depend on each other; without valid settings only the first."""
    checks = [python(), packages()]
    try:
        settings = load()
    except SettingsError as error:
        return [*checks, Check("settings", Level.FAILED, str(error), "correct it; the README lists all settings")]
    return [*checks, origins(), *kafka_checks(settings), store(settings), web(settings)]


def healthy(checks: Sequence[Check]) -> bool:
    """Whether nothing failed."""
    return all(check.level is not Level.FAILED for check in checks)
