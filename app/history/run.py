"""A sorted stretch of records in a temporary file."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile, gettempdir
from typing import IO, Final, TypeAlias

import msgspec

from app.history.errors import HistoryError
from schemas.times import Millis

Entry: TypeAlias = tuple[Millis, str, str, int, int, bytes]
"""ts, event_id, type; index of the file, line or row in it (so no two are equal, and equal events keep their order);
payload."""

BLOCK_BYTES: Final = 256 * 1024
_LENGTH_BYTES: Final = 4
_ENTRY_BYTES: Final = 64
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final[msgspec.msgpack.Decoder[list[Entry]]] = msgspec.msgpack.Decoder(list[Entry])


class Run:
    """Entries on disk, read back a block at a time in the order in which they came.

    The file has no name, so that nothing is left of it however the process ends. Layout: blocks, each a length (4
    bytes, big endian) and a msgpack list of entries. Raises HistoryError if the disk is full.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        try:
            with ExitStack() as opened:
                self._file: IO[bytes] = opened.enter_context(TemporaryFile())
                self._write(entries)
                opened.pop_all()
        except OSError as error:
            raise HistoryError(
                f"{gettempdir()}: has no room to sort the history ({error.strerror}); set TMPDIR to a larger disk"
            ) from None

    def _write(self, entries: Iterable[Entry]) -> None:
        for block in _blocks(entries):
            body = _ENCODER.encode(block)
            self._file.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)
        self._file.flush()

    def __iter__(self) -> Iterator[Entry]:
        self._file.seek(0)
        while length := int.from_bytes(self._file.read(_LENGTH_BYTES), "big"):
            yield from _DECODER.decode(self._file.read(length))

    def close(self) -> None:
        """Gives the disk space back."""
        self._file.close()


def _blocks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    block: list[Entry] = []
    size = 0
    for entry in entries:
        block.append(entry)
        size += len(entry[-1]) + _ENTRY_BYTES
        if size >= BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block
