"""Connections: what fits together is what clients get, what does not is named, and no secret is shown."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient

from app.connection import Mechanism, RedisConnection, Security
from app.doctor.check import Level
from app.doctor.kafka import connection
from app.settings import Settings, SettingsError
from tests.secured import Authority
from tests.servers import Given

_NO_CLIENT: Any = None  # that check asks the broker nothing

SECRET = "S3cret/of#mine"  # noqa: S105  opens nothing


def refusal(given: Given, **values: object) -> str:
    with pytest.raises(SettingsError) as caught:
        given(**values)
    text = str(caught.value)
    assert "\n" not in text
    assert "S3cret" not in text
    return text


def test_without_settings_it_is_plain() -> None:
    assert Settings().kafka_connection.options() == {
        "bootstrap_servers": ["127.0.0.1:9092"],
        "security_protocol": "PLAINTEXT",
    }
    assert Settings().redis_connection.options() == {"url": "redis://127.0.0.1:6379"}


def test_a_login_over_tls_is_what_both_clients_take(given: Given, authority: Authority) -> None:
    settings = given(
        kafka="a:1, b:2", kafka_security="sasl_ssl", kafka_username="me", kafka_password=SECRET,
        kafka_sasl_mechanism="SCRAM-SHA-256", kafka_ca=authority.ca,
    )  # fmt: skip
    options = settings.kafka_connection.options()
    context = options.pop("ssl_context")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1
    assert options == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": "me",
        "sasl_plain_password": SECRET,
    }
    assert {"ssl_context", *options} <= set(KafkaAdminClient.DEFAULT_CONFIG)


@pytest.mark.parametrize("security", Security)
def test_each_security_asks_for_what_it_needs_and_no_more(
    security: Security, given: Given, authority: Authority
) -> None:
    login = {"kafka_username": "me", "kafka_password": SECRET}
    files = {"kafka_ca": authority.ca}
    wanted = (login if security.has_login else {}) | (files if security.has_tls else {})
    assert given(kafka_security=security, **wanted).kafka_connection.security is security
    if security.has_login:
        assert refusal(given, kafka_password="") == f"kafka_security is {security}, which needs kafka_password"
        assert refusal(given, kafka_username="").endswith("which needs kafka_username and kafka_password")
        given(**login)
    else:
        assert refusal(given, **login) == (
            f"kafka_username is set, but kafka_security is {security}: set it to sasl_ssl, or leave kafka_username out"
        )
        assert refusal(given, kafka_username="").startswith("kafka_password is set, but")
        given(kafka_password="")
    if not security.has_tls:
        wanted_then = "sasl_ssl" if security.has_login else "ssl"
        assert refusal(given, **files) == (
            f"kafka_ca is set, but kafka_security is {security}: set it to {wanted_then}, or leave kafka_ca out"
        )


def test_a_client_shows_its_certificate_only_with_its_key(given: Given, authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("client")
    tls = {"kafka_security": "ssl", "kafka_ca": authority.ca}
    assert refusal(given, **tls, kafka_key=key) == "kafka_key is set, which needs kafka_certificate"
    given(**tls, kafka_certificate=certificate, kafka_key=key)
    assert "are no certificate with its key in PEM, not encrypted" in refusal(given, kafka_key="")
    together = tmp_path / "both.pem"
    together.write_text(certificate.read_text() + key.read_text())
    given(kafka_certificate=together)


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("kafka_ca", {"kafka_security": "ssl"}),
        ("kafka_certificate", {"kafka_security": "ssl"}),
        ("redis_ca", {"redis": "rediss://127.0.0.1"}),
    ],
)
def test_a_file_that_is_not_there_or_not_pem_is_named(
    name: str, others: dict[str, str], given: Given, tmp_path: Path
) -> None:
    assert refusal(given, **others, **{name: "/nowhere.pem"}) == (
        f"{name}: /nowhere.pem cannot be read (no such file or directory)"
    )
    assert refusal(given, **{name: tmp_path}) == f"{name}: {tmp_path} cannot be read (is a directory)"
    file = tmp_path / "notes.pem"
    file.write_text("-----BEGIN NOTES-----\n")
    said = refusal(given, **{name: file})
    assert said.startswith(name)
    assert str(file) in said
    assert "in PEM" in said


@pytest.mark.parametrize(
    "url",
    [f"rediss://:{SECRET}@host:6379", "redis://me:S3cret#1@host", "redis://me:1/S3cret@host", "redis://host:S3cret"],
)
def test_a_redis_url_that_cannot_be_read_is_not_shown(url: str, given: Given) -> None:
    assert refusal(given, redis=url).startswith("redis is no URL like rediss://user:password@host:6379")


def test_an_authority_for_redis_needs_tls(given: Given, authority: Authority) -> None:
    assert refusal(given, redis_ca=authority.ca).startswith("redis_ca is set, but redis is no rediss:// URL")
    settings = given(redis="rediss://:S3cret%2F1@host")
    assert settings.redis_connection.options() == {
        "url": "rediss://:S3cret%2F1@host",
        "ssl_ca_certs": str(authority.ca),
    }


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("rediss://me:S3cret@host:7000/1", "host:7000"),
        ("redis://host", "host:6379"),
        ("unix://me:S3cret@/run/redis.sock", "/run/redis.sock"),
    ],
)
def test_the_place_of_redis_is_shown_without_its_password(url: str, place: str) -> None:
    assert RedisConnection(url=url).place == place


def test_nothing_shows_a_secret(given: Given, authority: Authority) -> None:
    settings = given(
        kafka_security="sasl_ssl", kafka_username="me", kafka_password=SECRET, kafka_ca=authority.ca,
        redis="rediss://:S3cret@host",
    )  # fmt: skip
    shown = f"{settings!r} {settings} {settings.kafka_connection!r} {settings.redis_connection!r}"
    assert "me" in shown
    assert "S3cret" not in shown


def test_the_doctor_warns_of_a_password_that_can_be_read_on_its_way(given: Given) -> None:
    login = {"kafka_username": "me", "kafka_password": SECRET}
    settings = given(kafka_security="sasl_plaintext", kafka_sasl_mechanism=Mechanism.PLAIN, **login)
    check = connection(_NO_CLIENT, settings)
    assert check.level is Level.WARNING
    assert check.finding == "sasl_plaintext: no TLS, login of me by PLAIN; the password can be read on its way"
    assert connection(_NO_CLIENT, given(kafka_sasl_mechanism="SCRAM-SHA-512")).level is Level.OK
