"""Settings: from the environment (REKINDLE_...), else a file in /run/secrets, else rekindle.toml, else the default."""

import re
import tomllib
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from agents.churn.grid import Grid
from agents.limits import Limits, Span
from app.connection import KafkaConnection, Login, Mechanism, RedisConnection, Security, TlsFiles
from app.loopback import is_loopback
from app.printable import printable
from schemas.times import DAY_MS, SECOND_MS, Millis, format_span, parse_span

SETTINGS_FILE: Final = "rekindle.toml"
RULES_BUILTIN: Final = "builtin"
RULES_NONE: Final = "none"
MIN_TOKEN: Final = 16
"""Characters of a token; at so many, guessing is hopeless."""
SECRETS_FOLDER: Final = "/run/secrets"
"""Where containers find secrets: a file each, named like the variable (rekindle_kafka_password)."""

_MAKE_ONE: Final = "`openssl rand -hex 24` makes a good one"


class SettingsError(Exception):
    """A setting is wrong; the text says which, and what is expected, in one line whatever was set."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text, instead="?"))


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
    rules: str = Field("builtin", description="rules for tags: builtin, a file beside those, or none (lifecycles only)")
    churn: bool = Field(True, description="whether models learn who is about to leave, and score users")
    churn_every: SpanSetting = Field(5 * DAY_MS, description="how often users are scored, at multiples since 1970")
    churn_horizon: SpanSetting = Field(30 * DAY_MS, description="scores are of no activity for so long")
    churn_share: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="share of the users whom models learn from: less of very many"
    )
    kafka: Annotated[str, AfterValidator(_servers)] = Field(
        "127.0.0.1:9092", description="bootstrap servers, host:port, several with commas"
    )
    kafka_security: Security = Field(
        Security.PLAINTEXT,
        description="plaintext, ssl, sasl_plaintext or sasl_ssl: with TLS (ssl), with a login (sasl)",
    )
    kafka_sasl_mechanism: Mechanism = Field(
        Mechanism.SCRAM_SHA_512, description="how to log in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
    )
    kafka_username: str = Field("", description="for the login")
    kafka_password: SecretStr | None = Field(None, description="for the login")
    kafka_ca: str = Field("", description="PEM file of the authorities to trust; default: those of the system")
    kafka_certificate: str = Field("", description="PEM file of the client's certificate, where the broker wants one")
    kafka_key: str = Field("", description="PEM file of its key, where that is not in the same file")
    redis: Annotated[str, Field(pattern=r"^(rediss?|unix)://")] = Field(
        "redis://127.0.0.1:6379", repr=False, description="URL of the read model's Redis; it may be down"
    )
    redis_ca: str = Field("", description="PEM file of the authorities to trust, for rediss://")
    read_model: bool = Field(True, description="whether Redis gets the users too, or the numbers of the view alone")
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
    web_token: SecretStr | None = Field(
        None, validate_default=True, description="what the web view asks for; needed where others can reach it"
    )

    @field_validator("web_token")
    @classmethod
    def _check_web_token(cls, token: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Who can be reached from elsewhere asks for a token; an empty one is none."""
        text = token.get_secret_value() if token else ""
        if text and not re.fullmatch(f"[!-~]{{{MIN_TOKEN},}}", text):
            raise ValueError(f"a token has at least {MIN_TOKEN} ASCII characters, no space among them; {_MAKE_ONE}")
        if not text and not is_loopback(info.data.get("web_host", "localhost")):
            raise ValueError(
                f"the web view at {info.data['web_host']} could be read by others, so it needs a token; {_MAKE_ONE}"
            )
        return token if text else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  pydantic-settings names them
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What a program sets wins over the environment, that over secrets, and those over the file."""
        secrets = [SecretsSettingsSource(settings_cls, SECRETS_FOLDER)] if Path(SECRETS_FOLDER).is_dir() else []
        return init_settings, env_settings, *secrets, TomlConfigSettingsSource(settings_cls)

    @property
    def kafka_connection(self) -> KafkaConnection:
        """How clients reach Kafka; raises ValueError where settings contradict each other, or a file is wrong."""
        password = self.kafka_password.get_secret_value() if self.kafka_password else ""
        login = Login(mechanism=self.kafka_sasl_mechanism, username=self.kafka_username, password=password)
        files = TlsFiles(self.kafka_ca, self.kafka_certificate, self.kafka_key)
        return KafkaConnection.of(self.kafka, self.kafka_security, login, files)

    @property
    def redis_connection(self) -> RedisConnection:
        """How clients reach Redis; raises ValueError where settings contradict each other, or a file is wrong."""
        return RedisConnection.of(self.redis, self.redis_ca)

    @property
    def rules_path(self) -> Path | None:
        """The file of rules that is set; None: there is none beside the built-in rules."""
        return None if self.rules in {"", RULES_BUILTIN, RULES_NONE} else Path(self.rules)

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

    @property
    def grid(self) -> Grid | None:
        """When users are scored; None: never."""
        if not self.churn:
            return None
        return Grid(self.churn_every, self.churn_horizon, self.allowed_lateness, self.churn_share)


SPANS: Final = frozenset(name for name, hint in Settings.__annotations__.items() if hint is SpanSetting)
"""The settings that are lengths of time."""


def shown(name: str, value: object) -> str:
    """The value of a setting as people write it; nothing where there is none."""
    if value is None:
        return ""
    return format_span(value) if name in SPANS and isinstance(value, int) else str(value)


def load() -> Settings:
    """The settings in force.

    Raises SettingsError with one line for people.
    """
    try:
        settings = Settings()
        _ = settings.limits, settings.kafka_connection, settings.redis_connection
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(each) for each in error.errors())) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{SETTINGS_FILE} is not valid TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"{SETTINGS_FILE} is not valid TOML: nested too deeply") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{SETTINGS_FILE} (or a secret's file) is not UTF-8: save it as such") from None
    except (ValueError, OSError) as error:
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
