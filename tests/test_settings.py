"""Settings: the environment before rekindle.toml before the defaults; a mistake is one line that names the setting."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from agents.limits import DEFAULT_LIMITS, Limits, Span
from app.settings import SETTINGS_FILE, Settings, SettingsError, load
from schemas.times import DAY_MS, HOUR_MS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without settings, and an environment without any."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("REKINDLE_")]:
        monkeypatch.delenv(name)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / SETTINGS_FILE).write_text(text, encoding="utf-8")


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        load()
    text = str(caught.value)
    assert text
    assert "\n" not in text
    return text


def test_the_defaults_are_those_of_the_core() -> None:
    assert load().limits == DEFAULT_LIMITS


def test_every_setting_is_explained() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_environment_sets_every_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SILENT_AFTER": "20d",
        "LOST_AFTER": "960h",
        "PURCHASE_SILENT_AFTER": "45d",
        "PURCHASE_LOST_AFTER": "90d",
        "ALLOWED_LATENESS": "12h",
        "MAX_AHEAD": "30d",
    }.items():
        monkeypatch.setenv(f"REKINDLE_{name}", value)
    assert load().limits == Limits(
        lifecycle=Span(20 * DAY_MS, 40 * DAY_MS),
        purchase=Span(45 * DAY_MS, 90 * DAY_MS),
        allowed_lateness_ms=12 * HOUR_MS,
        max_ahead_ms=30 * DAY_MS,
    )


def test_the_file_sets_limits_too(folder: Path) -> None:
    write(folder, 'silent_after = "20d"\nallowed_lateness = "90m"\nlost_after = 2000000000\n')
    limits = load().limits
    assert limits.lifecycle == Span(20 * DAY_MS, 2_000_000_000)
    assert limits.allowed_lateness_ms == 90 * 60_000


def test_the_environment_wins_over_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, 'silent_after = "20d"\nlost_after = "50d"\n')
    monkeypatch.setenv("REKINDLE_SILENT_AFTER", "25d")
    assert load().limits.lifecycle == Span(25 * DAY_MS, 50 * DAY_MS)


def test_orders_follow_the_limits_of_all_activity_unless_set(folder: Path) -> None:
    write(folder, 'silent_after = "20d"\nlost_after = "50d"\npurchase_lost_after = "55d"\n')
    assert load().limits.purchase == Span(20 * DAY_MS, 55 * DAY_MS)


def test_settings_are_read_anew_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().silent_after == 30 * DAY_MS
    monkeypatch.setenv("REKINDLE_SILENT_AFTER", "29d")
    assert load().silent_after == 29 * DAY_MS


@pytest.mark.parametrize("text", ["5x", "", "d", "-5d", "1.5d", "30 days", "5D", "30"])
def test_what_is_no_length_of_time_is_refused_by_name(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_SILENT_AFTER", text)
    said = refusal()
    assert said.startswith(
        f"REKINDLE_SILENT_AFTER (or silent_after in rekindle.toml): {text!r} is not a length of time"
    )
    assert "such as 15d, 12h or 90m" in said


@pytest.mark.parametrize("value", ["0", "-1", '"0d"', "[1]", "1.5", "1979-05-27"])
def test_a_value_of_the_wrong_kind_in_the_file_is_refused_by_name(value: str, folder: Path) -> None:
    write(folder, f"lost_after = {value}\n")
    assert refusal().startswith("REKINDLE_LOST_AFTER (or lost_after in rekindle.toml): ")


def test_several_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_SILENT_AFTER", "5x")
    monkeypatch.setenv("REKINDLE_MAX_AHEAD", "soon")
    said = refusal()
    assert "REKINDLE_SILENT_AFTER" in said
    assert "REKINDLE_MAX_AHEAD" in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SILENT_AFTER", "60d", "silent_after (60d) must be less than lost_after (60d)"),
        ("LOST_AFTER", "29d", "silent_after (30d) must be less than lost_after (29d)"),
        ("PURCHASE_SILENT_AFTER", "90d", "purchase_silent_after (90d) must be less than purchase_lost_after (60d)"),
        ("ALLOWED_LATENESS", "30d", "allowed_lateness (30d) must be less than silent_after (30d)"),
        ("PURCHASE_SILENT_AFTER", "7d", "allowed_lateness (7d) must be less than purchase_silent_after (7d)"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"REKINDLE_{name}", value)
    assert refusal().startswith(said)


def test_an_unknown_setting_in_the_file_is_refused_with_what_may_be_meant(folder: Path) -> None:
    write(folder, 'silent_aftre = "20d"\n')
    assert refusal() == "silent_aftre in rekindle.toml is not a setting; did you mean silent_after?"
    write(folder, "[brokers]\nservers = 1\n")
    assert refusal() == "brokers in rekindle.toml is not a setting"


def test_what_is_no_toml_is_refused(folder: Path) -> None:
    write(folder, "silent_after = \n")
    assert refusal().startswith("rekindle.toml is not valid TOML: ")
    write(folder, f"silent_after = {'[' * 5000}")
    assert refusal() == "rekindle.toml is not valid TOML: nested too deeply"
    (folder / "rekindle.toml").write_bytes(b'title = "\xff"')
    assert refusal() == "rekindle.toml (or a secret's file) is not UTF-8: save it as such"


def test_a_refusal_is_one_line_that_does_nothing_to_a_terminal(folder: Path) -> None:
    write(folder, '"a\\u001b[2J\\nb" = 1\n')
    assert refusal() == "a?[2J?b in rekindle.toml is not a setting"


def test_an_empty_file_sets_nothing(folder: Path) -> None:
    write(folder, "# nothing yet\n")
    assert load().limits == DEFAULT_LIMITS


def test_a_secret_may_be_a_file_that_a_container_is_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = folder / "secrets"
    secrets.mkdir()
    monkeypatch.setattr("app.settings.SECRETS_FOLDER", str(secrets))
    (secrets / "rekindle_kafka_password").write_text("from a file\n")
    (secrets / "rekindle_redis").write_text("redis://:there@one\n")
    write(folder, 'kafka_password = "from the toml"\nkafka_username = "me"\nkafka_security = "sasl_plaintext"\n')
    settings = load()
    assert settings.kafka_password == SecretStr("from a file")
    assert settings.redis == "redis://:there@one"
    monkeypatch.setenv("REKINDLE_KAFKA_PASSWORD", "from the environment")
    assert load().kafka_password == SecretStr("from the environment")
