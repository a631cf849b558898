"""The topics on a real broker: made when missing, refused when they do not fit; no broker is one line."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Thread
from time import monotonic

import pytest
from kafka.admin import ConfigResource

from app import topics
from app.demo.embedded import HOST, free_port
from app.settings import Settings
from app.topics import BrokerError, TopicsError, admin, all_names, partition_counts, prepare
from schemas.topics import INPUT_TOPICS
from tests.servers import Given


def create(settings: Settings, counts: dict[str, int]) -> None:
    wanted = {settings.topic_prefix + name: {"num_partitions": count} for name, count in counts.items()}
    with admin(settings) as client:
        client.create_topics(wanted, wait_for_metadata=True)


def there(settings: Settings) -> dict[str, int]:
    with admin(settings) as client:
        return partition_counts(client, all_names(settings))


def refusal(settings: Settings) -> str:
    with pytest.raises(BrokerError) as caught:
        prepare(settings)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_names_begin_with_the_prefix(given: Given) -> None:
    settings = given(topic_prefix="shop.", app_id="crm")
    assert topics.input_names(settings) == {f"shop.{topic}": topic for topic in INPUT_TOPICS}
    assert topics.output_name(settings, "tag-changes") == "shop.tag-changes"
    assert topics.changelog_name(settings) == "shop.crm-changelog"


def test_without_rules_there_are_no_topics_of_campaigns(given: Given) -> None:
    names = {*all_names(given(app_id="crm")), *all_names(given(app_id="crm", rules="none"))}
    without = set(all_names(given(app_id="crm", rules="none")))
    prefix = given().topic_prefix
    assert names - without == {prefix + name for name in ("recall-triggers", "recall-decisions", "crm-control")}


def test_missing_topics_are_made_once(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    assert there(settings) == {}
    assert prepare(settings) == 3
    assert prepare(settings) == 3
    assert there(settings) == dict.fromkeys(all_names(settings), 3)


def test_only_the_changelog_the_models_and_what_campaigns_are_told_are_compacted(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    prepare(settings)
    with admin(settings) as client:
        resources = [ConfigResource("TOPIC", name) for name in all_names(settings)]
        told = client.describe_configs(resources, config_filter="all")["topic"]
    policies = {name: each.get("cleanup.policy", {"value": "delete"})["value"] for name, each in told.items()}
    compacted = {topics.changelog_name(settings), topics.models_name(settings), topics.control_name(settings)}
    assert {name for name, policy in policies.items() if policy != "delete"} == compacted
    for name in compacted:
        assert policies[name] == "compact"
        assert told[name]["retention.ms"]["value"] == "-1"


def test_workers_may_make_them_at_the_same_moment(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(prepare, [settings] * 4)) == [3] * 4


def test_what_is_there_is_completed(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    create(settings, {"events.click": 3, "tag-changes": 3})
    assert prepare(settings) == 3
    assert len(there(settings)) == len(all_names(settings))


def test_another_number_than_is_set_is_refused_and_nothing_is_made(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    create(settings, {"events.click": 2})
    assert refusal(settings) == (
        "the topics have 2 partitions, but 3 are set: set REKINDLE_PARTITIONS=2, or recreate the topics; to change it:"
        " docs/upgrading.md"
    )
    assert len(there(settings)) == 1
    assert prepare(given(partitions=2)) == 2


def test_numbers_that_differ_among_themselves_are_refused_by_name(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    create(settings, {"events.click": 3, "events.cart": 2, "dead-letters": 3})
    prefix = settings.topic_prefix
    with pytest.raises(TopicsError) as caught:
        prepare(settings)
    assert str(caught.value).startswith(
        f"{prefix}events.cart has 2 partitions, {prefix}dead-letters 3, {prefix}events.click 3: all must have the same"
    )
    assert len(there(settings)) == 3


def test_no_broker_is_one_line_at_once(given: Given) -> None:
    server = f"{HOST}:{free_port()}"
    started = monotonic()
    assert refusal(given(kafka=server)) == (
        f"no Kafka broker answers at {server} (connection refused): start one (make kafka, or rekindle demo needs"
        " none), or set REKINDLE_KAFKA"
    )
    assert monotonic() - started < topics.PATIENCE_S


def test_what_is_no_broker_is_told_from_one(given: Given) -> None:
    def greet(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(100)

    with closing(socket.create_server((HOST, 0))) as listener:
        server = Thread(target=greet, args=[listener])
        server.start()
        said = refusal(given(kafka=f"{HOST}:{listener.getsockname()[1]}"))
        server.join()
    assert "(what answers there is no Kafka broker)" in said


def test_silence_is_not_waited_for_for_ever(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "PATIENCE_S", 0.2)
    with closing(socket.create_server((HOST, 0))) as listener:
        assert "(no answer in time)" in refusal(given(kafka=f"{HOST}:{listener.getsockname()[1]}"))


def test_one_of_several_servers_is_enough(embedded_kafka: str, given: Given) -> None:
    assert prepare(given(kafka=f"{HOST}:{free_port()},{embedded_kafka}")) == 3
