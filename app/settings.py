"""Settings: from the environment (REKINDLE_...), else from rekindle.toml in the working folder, else the defaults."""

import tomllib
from difflib import get_close_matches
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from agents.limits import Limits, Span
from schemas.times import DAY_MS, Millis, parse_span

SETTINGS_FILE: Final = "rekindle.toml"


class SettingsError(Exception):
    """A setting is wrong; the text says which, and what is expected."""


def _span(value: Any) -> Any:
    return parse_span(value) if isinstance(value, str) else value


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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,  # noqa: ARG003  pydantic-settings names them
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  likewise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, TomlConfigSettingsSource(settings_cls)

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
