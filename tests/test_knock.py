"""A knock: every way in that is set right goes through, and what is set wrong is told, with what to do."""

import socket
from contextlib import closing
from threading import Thread
from time import monotonic
from typing import Any

import pytest

from app.demo.embedded import HOST
from app.settings import Settings
from app.topics import PATIENCE_S, BrokerError, admin
from tests.secured import PASSWORD, PLAIN_PASSWORD, USER, Authority, SecuredKafka
from tests.servers import Given

LOGIN = {"kafka_username": USER, "kafka_password": PASSWORD}


def cluster(settings: Settings) -> str:
    with admin(settings) as client:
        return str(client.describe_cluster()["cluster_id"])


def refusal(settings: Settings) -> str:
    started = monotonic()
    with pytest.raises(BrokerError) as caught, admin(settings):
        pass
    assert monotonic() - started < PATIENCE_S
    text = str(caught.value)
    assert "\n" not in text
    assert "S3cret" not in text
    return text


@pytest.mark.parametrize(
    ("security", "more"),
    [
        ("plaintext", {}),
        ("sasl_ssl", {}),
        ("sasl_ssl", {"kafka_sasl_mechanism": "SCRAM-SHA-256"}),
        ("sasl_ssl", {"kafka_sasl_mechanism": "PLAIN", "kafka_password": PLAIN_PASSWORD}),
        ("sasl_plaintext", {}),
    ],
)
def test_every_way_in_is_open_to_who_has_the_key(
    security: str, more: dict[str, str], secured_kafka: SecuredKafka, given: Given
) -> None:
    assert cluster(given(**secured_kafka.settings(security, **more)))


def test_a_broker_may_ask_for_a_certificate_of_the_client(secured_kafka: SecuredKafka, given: Given) -> None:
    settings = given(**secured_kafka.settings("ssl"))
    assert "ends the TLS handshake" in (said := refusal(settings))
    assert said.endswith("if it wants a certificate of the client, set REKINDLE_KAFKA_CERTIFICATE")
    certificate, key = secured_kafka.authority.issue("client")
    assert cluster(given(kafka_certificate=certificate, kafka_key=key))


@pytest.mark.parametrize(
    ("port", "security", "more", "said"),
    [
        ("sasl_ssl", "sasl_ssl", {"kafka_password": "S3cret-but-wrong"}, "refuses the login of rekindle-user ("),
        ("sasl_ssl", "sasl_ssl", {"kafka_username": "nobody"}, "refuses the login of nobody ("),
        ("sasl_ssl", "sasl_ssl", {"kafka_ca": ""}, "that is not trusted"),
        ("sasl_plaintext", "sasl_plaintext", {"kafka_sasl_mechanism": "PLAIN"}, "does not take PLAIN: set"),
        ("sasl_ssl", "ssl", {}, "wants a login: set REKINDLE_KAFKA_SECURITY to sasl_ssl"),
        ("sasl_plaintext", "plaintext", {}, "wants a login: set REKINDLE_KAFKA_SECURITY to sasl_ssl"),
        ("plaintext", "sasl_plaintext", {}, "asks for no login: set REKINDLE_KAFKA_SECURITY=plaintext"),
        ("sasl_ssl", "plaintext", {}, "speaks TLS: set REKINDLE_KAFKA_SECURITY=ssl, or sasl_ssl"),
        ("sasl_ssl", "sasl_plaintext", {}, "speaks TLS: set REKINDLE_KAFKA_SECURITY=ssl, or sasl_ssl"),
        ("plaintext", "ssl", {}, "speaks no TLS: set REKINDLE_KAFKA_SECURITY=plaintext"),
        ("sasl_plaintext", "sasl_ssl", {}, "speaks no TLS: set REKINDLE_KAFKA_SECURITY=plaintext, or sasl_plaintext"),
    ],
)
def test_what_is_set_wrong_is_told_at_once(
    port: str, security: str, more: dict[str, str], said: str, secured_kafka: SecuredKafka, given: Given
) -> None:
    settings = given(**secured_kafka.settings(security, kafka=secured_kafka.at(port), **more))
    text = refusal(settings)
    assert text.startswith(f"the Kafka broker at {secured_kafka.at(port)} ")
    assert said in text


def test_a_certificate_for_another_host_is_told_from_one_that_is_not_trusted(
    secured_kafka: SecuredKafka, given: Given
) -> None:
    server = secured_kafka.at("sasl_ssl").replace(HOST, "localhost")
    said = refusal(given(**secured_kafka.settings(kafka=server)))
    assert "shows a certificate for another host (Hostname mismatch, certificate is not valid for 'localhost')" in said


def test_of_several_servers_one_that_lets_us_in_is_enough(secured_kafka: SecuredKafka, given: Given) -> None:
    servers = f"{secured_kafka.at('plaintext')},{secured_kafka.at('sasl_ssl')}"
    assert cluster(given(**secured_kafka.settings(kafka=servers)))


def test_who_accepts_and_says_nothing_is_not_waited_for_for_ever(
    authority: Authority, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.topics.PATIENCE_S", 0.3)
    with closing(socket.create_server((HOST, 0))) as listener:
        server = f"{HOST}:{listener.getsockname()[1]}"
        assert "(no answer in time)" in refusal(given(kafka=server, kafka_security="ssl", kafka_ca=authority.ca))


def test_a_broker_that_stops_talking_in_the_login_is_not_waited_for_for_ever(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.topics.PATIENCE_S", 0.3)
    held: list[Any] = []

    def answer_once(listener: socket.socket) -> None:
        held.append(listener.accept()[0])
        held[0].recv(100)
        held[0].sendall(b"\0\0\0\4\0\0\0\1")
        held.append(listener.accept()[0])

    with closing(socket.create_server((HOST, 0))) as listener:
        thread = Thread(target=answer_once, args=[listener])
        thread.start()
        server = f"{HOST}:{listener.getsockname()[1]}"
        said = refusal(given(kafka=server, kafka_security="sasl_plaintext", **LOGIN))
        thread.join()
        for each in held:
            each.close()
    assert "(no answer in time)" in said
