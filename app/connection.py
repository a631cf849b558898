"""How Kafka and Redis are reached: the address, TLS, a login.

`settings.kafka_connection` and `settings.redis_connection` make them, and every client is built from one:

    AIOKafkaProducer(**settings.kafka_connection.options(), acks="all")  # aiokafka
    KafkaConsumer(**settings.kafka_connection.options(), group_id="a")  # kafka-python: the same
    Redis.from_url(**settings.redis_connection.options())

Both are made once and handed on: making one reads the certificates. Neither shows a secret.
"""

import logging
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

# at debug it logs each request whole, and that of a login has the password in it
logging.getLogger("aiokafka.conn").addFilter(lambda record: record.levelno > logging.DEBUG)


class Security(StrEnum):
    """How clients speak to Kafka: encrypted or not, with a login (SASL) or without."""

    PLAINTEXT = "plaintext"
    SSL = "ssl"
    SASL_PLAINTEXT = "sasl_plaintext"
    SASL_SSL = "sasl_ssl"

    @property
    def has_tls(self) -> bool:
        """Whether the connection is encrypted, and the broker shows a certificate."""
        return self in {Security.SSL, Security.SASL_SSL}

    @property
    def has_login(self) -> bool:
        """Whether the broker asks for a username and a password."""
        return self in {Security.SASL_PLAINTEXT, Security.SASL_SSL}


class Mechanism(StrEnum):
    """How a client proves that it knows the password; PLAIN sends it."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who a client is, for SASL."""

    mechanism: Mechanism
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class TlsFiles:
    """PEM files: whom to trust (none: the authorities of the system), and the client's own certificate, if any."""

    ca: str = ""
    certificate: str = ""
    key: str = ""

    def context(self) -> ssl.SSLContext:
        """TLS that checks the broker's certificate and host name; raises ValueError naming the setting."""
        context = ssl.create_default_context(cafile=checked_ca("kafka_ca", self.ca) or None)
        if self.certificate:
            self._show_certificate(context)
        return context

    def _show_certificate(self, context: ssl.SSLContext) -> None:
        for name in ("certificate", "key"):
            _read(f"kafka_{name}", getattr(self, name))
        try:
            context.load_cert_chain(self.certificate, self.key or None, password=lambda: b"")  # never asks for one
        except ssl.SSLError:
            raise ValueError(
                f"kafka_certificate and kafka_key: {self.certificate} and {self.key or 'itself'} are no certificate"
                " with its key in PEM, not encrypted"
            ) from None


@dataclass(frozen=True, kw_only=True)
class KafkaConnection:
    """How a client reaches Kafka. `servers`: host:port, several with commas."""

    servers: str
    security: Security = Security.PLAINTEXT
    login: Login | None = None
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @classmethod
    def of(cls, servers: str, security: Security, login: Login, files: TlsFiles) -> Self:
        """What was set, where it fits together; raises ValueError in one line, without a secret."""
        _check_login(security, login)
        _check_files(security, files)
        return cls(
            servers=servers,
            security=security,
            login=login if security.has_login else None,
            tls=files.context() if security.has_tls else None,
        )

    def options(self) -> dict[str, Any]:
        """Keyword arguments that the clients of aiokafka and of kafka-python take alike; they hold the password."""
        found: dict[str, Any] = {
            "bootstrap_servers": self.servers.split(","),
            "security_protocol": self.security.value.upper(),
        }
        if self.tls is not None:
            found["ssl_context"] = self.tls
        if self.login is not None:
            found["sasl_mechanism"] = self.login.mechanism.value
            found["sasl_plain_username"] = self.login.username
            found["sasl_plain_password"] = self.login.password
        return found


@dataclass(frozen=True, kw_only=True)
class RedisConnection:
    """How a client reaches Redis. `ca`: a PEM file of authorities, for rediss://."""

    url: str = field(repr=False)
    ca: str = ""

    @classmethod
    def of(cls, url: str, ca: str) -> Self:
        """What was set, where it fits together; raises ValueError in one line, without a secret."""
        if ca and not url.startswith("rediss://"):
            raise ValueError("redis_ca is set, but redis is no rediss:// URL: set that, or leave redis_ca out")
        return cls(url=checked_redis_url(url), ca=checked_ca("redis_ca", ca))

    @property
    def place(self) -> str:
        """Where it is, for people: host:port, or a path."""
        url = urlsplit(self.url)
        return f"{url.hostname}:{url.port or 6379}" if url.hostname else url.path

    def options(self) -> dict[str, Any]:
        """Keyword arguments of `Redis.from_url`; they hold the password."""
        return {"url": self.url, **({"ssl_ca_certs": self.ca} if self.ca else {})}


def checked_redis_url(value: str) -> str:
    """The URL, if its parts can be told; raises ValueError that does not show it."""
    try:
        url = urlsplit(value)
        _ = url.port
    except ValueError:
        url = None
    if url is None or "@" in url.path + url.query + url.fragment:
        raise ValueError(
            "redis is no URL like rediss://user:password@host:6379; in a password write / as %2F, # as %23"
        )
    return value


def checked_ca(name: str, path: str) -> str:
    """The path of a PEM file of authorities, if it is one; raises ValueError naming the setting."""
    if path:
        _read(name, path)
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        except ssl.SSLError:
            raise ValueError(f"{name}: {path} holds no certificate in PEM") from None
    return path


def _read(name: str, path: str) -> None:
    if path:
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise ValueError(f"{name}: {path} cannot be read ({(error.strerror or str(error)).lower()})") from None


def _check_login(security: Security, login: Login) -> None:
    given = {"kafka_username": login.username, "kafka_password": login.password}
    if not security.has_login and any(given.values()):
        name = next(name for name, value in given.items() if value)
        raise ValueError(
            f"{name} is set, but kafka_security is {security.value}: set it to sasl_ssl, or leave {name} out"
        )
    if security.has_login and not all(given.values()):
        missing = " and ".join(name for name, value in given.items() if not value)
        raise ValueError(f"kafka_security is {security.value}, which needs {missing}")


def _check_files(security: Security, files: TlsFiles) -> None:
    given = {"kafka_ca": files.ca, "kafka_certificate": files.certificate, "kafka_key": files.key}
    if not security.has_tls and any(given.values()):
        name = next(name for name, value in given.items() if value)
        wanted = "sasl_ssl" if security.has_login else "ssl"
        raise ValueError(
            f"{name} is set, but kafka_security is {security.value}: set it to {wanted}, or leave {name} out"
        )
    if files.key and not files.certificate:
        raise ValueError("kafka_key is set, which needs kafka_certificate")
