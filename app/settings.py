"""Settings: from the environment (REKINDLE_...), else from rekindle.toml in the working folder, else the defaults."""

import tomllib
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from agents.limits import Limits, Span
from schemas.times import DAY_MS, SECOND_MS, Millis, parse_span

SETTINGS_FILE: Final = "rekindle.toml"


class SettingsError(Exception):
    """A setting is wrong; the text says which, and what is expected."""


def _span(value: Any) -> Any:
    return parse_span(value) if isinstance(value, str) else value


def _servers(value: str) -> str:
    for server in value.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError(f"{server.strip()!r} is not host:port; write 127.0.0.1:9092, several with commas")
    return value.replace(" ", "")


class Clock(StrEnum):
    """What moves time: the events and ticks alone (replays), or also the clock on the wall (live)."""

    EVENT = "event"
    WALL = "wall"


class Delivery(StrEnum):
    """Kafka transactions, or none (the embedded broker knows none): then outputs may come twice, with the same id."""

    EXACTLY_ONCE = "exactly_once"
    AT_LEAST_ONCE = "at_least_once"


class OnLostEvents(StrEnum):
    """What to do where events left their topic before they were applied."""

    REFUSE = "refuse"
    ACCEPT = "accept"


SpanSetting = Annotated[Millis, BeforeValidator(_span), Field(gt=0)]


class Settings(BaseSettings):
    """Everything that can be set, with its default; lengths of time are written as 30d, 12h or 90m."""

    model_config = SettingsConfigDict(env_prefix="REKINDLE_", toml_file=SETTINGS_FILE, extra="forbid", frozen=True)

    silent_after: SpanSetting = Field(30 * DAY_MS, description="no activity for so long: silent")
    lost_after: SpanSetting = Field(60 * DAY_MS, description="no activity for so long: lost")
    purchase_silent_after: SpanSetting | None = Field(None, description="for orders; default: silent_after")
    purchase_lost_after: SpanSetting | None = Field(None, description="for orders; default: lost_after")
    allowed_lateness: SpanSetting = Field(7 * DAY_MS, description="events up to so late correct what was said")
    max_ahead: SpanSetting = Field(3 * 365 * DAY_MS, description="events that jump further ahead are dead letters")
    kafka: Annotated[str, AfterValidator(_servers)] = Field(
        "127.0.0.1:9092", description="bootstrap servers, host:port, several with commas"
    )
    redis: Annotated[str, Field(pattern=r"^(rediss?|unix)://")] = Field(
        "redis://127.0.0.1:6379", description="URL of the read model's Redis; it may be down"
    )
    app_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = Field(
        "rekindle", description="consumer group, and start of the names of the internal topics"
    )
    topic_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,100}$")] = Field(
        "", description="put before the name of every topic"
    )
    partitions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        8, description="of every topic, when the worker creates them; it cannot change later"
    )
    clock: Clock = Field(Clock.WALL, description="what moves time: wall (live), or event (replays of history)")
    delivery: Delivery = Field(
        Delivery.EXACTLY_ONCE, description="exactly_once, or at_least_once for a broker without transactions"
    )
    on_lost_events: OnLostEvents = Field(
        OnLostEvents.REFUSE,
        description="refuse, or accept to go on without events that left their topic unread",
    )
    session_timeout: SpanSetting = Field(
        10 * SECOND_MS, description="a worker that is silent for so long loses its partitions to the others"
    )
    epoch_ms: Annotated[int, Field(ge=1, le=60_000)] = Field(100, description="how often changes are committed")
    title: str = Field("", description="shown on top of the web view")
    web_host: str = Field("127.0.0.1", description="address of the web view")
    web_port: Annotated[int, Field(ge=1, le=65_535)] = Field(6066, description="port of the web view")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  pydantic-settings names them
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What a program sets wins over the environment, and that over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def limits(self) -> Limits:
        """The limits of the core; raises ValueError where they contradict each other."""
        return Limits(
            lifecycle=Span(self.silent_after, self.lost_after),
            purchase=Span(
                self.purchase_silent_after or self.silent_after,
                self.purchase_lost_after or self.lost_after,
            ),
            allowed_lateness_ms=self.allowed_lateness,
            max_ahead_ms=self.max_ahead,
        )


SPANS: Final = frozenset(name for name, hint in Settings.__annotations__.items() if hint is SpanSetting)
"""The settings that are lengths of time."""


def load() -> Settings:
    """The settings in force.

    Raises SettingsError with one line for people.
    """
    try:
        settings = Settings()
        _ = settings.limits
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(each) for each in error.errors())) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{SETTINGS_FILE} is not valid TOML: {error}") from None
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return settings


def _explain(error: Any) -> str:
    """One mistake in words: which setting, and what is expected."""
    name = str(error["loc"][0])
    if name in Settings.model_fields:
        reason = error["msg"].removeprefix("Value error, ")
        return f"REKINDLE_{name.upper()} (or {name} in {SETTINGS_FILE}): {reason}"
    near = get_close_matches(name, Settings.model_fields, n=1)
    return f"{name} in {SETTINGS_FILE} is not a setting" + (f"; did you mean {near[0]}?" if near else "")
