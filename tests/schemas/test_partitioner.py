"""The partitioner: as Kafka's clients choose, so that whoever sends by user_id reaches the user's partition."""

import pytest
from aiokafka.partitioner import DefaultPartitioner as AiokafkaPartitioner
from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_murmur2

from schemas.partitioner import murmur2, partition_of


@given(st.binary())
def test_it_hashes_as_kafka_python_does(key: bytes) -> None:
    assert murmur2(key) == kafka_murmur2(key) & 0xFFFFFFFF


@given(st.binary())
def test_it_hashes_as_aiokafka_does(key: bytes) -> None:
    assert murmur2(key) == aiokafka_murmur2(key) & 0xFFFFFFFF


@given(st.text(min_size=1, max_size=128), st.integers(1, 1_000))
def test_it_chooses_the_partition_that_the_clients_choose(user_id: str, partitions: int) -> None:
    key, every = user_id.encode("utf-8", "surrogatepass"), list(range(partitions))
    chosen = partition_of(key, partitions)
    assert chosen == AiokafkaPartitioner()(key, every, every)
    assert chosen == (kafka_murmur2(key) & 0x7FFFFFFF) % partitions


# From Kafka's own UtilsTest.testMurmur2; Java's int is signed.
@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_it_hashes_as_the_java_client_does(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF


def test_one_partition_takes_everybody() -> None:
    assert {partition_of(b"%d" % number, 1) for number in range(50)} == {0}
