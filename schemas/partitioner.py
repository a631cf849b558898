"""Which partition a user belongs to: murmur2 of the key, as Kafka's Java client, kafka-python and aiokafka do it."""

from typing import Final

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF
_BLOCK_BYTES: Final = 4


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a record's key.

    >>> partition_of(b"user-1", 8)
    4
    """
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Austin Appleby's MurmurHash2 of 32 bits, with the seed that Kafka uses.

    >>> hex(murmur2(b"21"))
    '0xc5f2f8ec'
    """
    body = len(data) - len(data) % _BLOCK_BYTES
    h = _SEED ^ len(data)
    for start in range(0, body, _BLOCK_BYTES):
        k = int.from_bytes(data[start : start + _BLOCK_BYTES], "little") * _M & _MASK
        h = (h * _M & _MASK) ^ ((k ^ k >> 24) * _M & _MASK)
    if tail := data[body:]:
        h = (h ^ int.from_bytes(tail, "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15
