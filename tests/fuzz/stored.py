"""What lies in the changelog: any bytes are restored, or refused with what to do."""

from typing import Final

from hypothesis import strategies as st

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from tables import codec
from tables.changelog import MARKER_KEY, Record, Restore
from tables.codec import UnreadableError
from tables.table import Table
from tests.fuzz.mutate import alone, batches, mutated
from tests.fuzz.target import Target
from tests.golden.test_changelogs import PARTITIONS, Golden

_GOLDEN: Final = Golden("1")
_RECORDS: Final = [record for number in range(PARTITIONS) for record in _GOLDEN.changelog("in steps", number)]
_ROWS: Final = [value for key, value in _RECORDS if value is not None and key[:1] != b"\xff"]
_OTHERS: Final = [value for key, value in _RECORDS if value is not None and key[:1] == b"\xff"]

_keys: Final = st.sampled_from([b"u1", b"u2", MARKER_KEY, MARKER_KEY, b"\xffoutput/0", b"\xffoutput/1"])
_odd_keys: Final = st.sampled_from([b"", b"\xff", b"\xc3", b"\xffoutput/-1"]) | st.binary(max_size=3)
_damaged: Final = st.tuples(_keys | _odd_keys, st.none() | mutated(*_ROWS, *_OTHERS))
_whole: Final = st.sampled_from(_RECORDS)


def check_row(encoded: bytes) -> None:
    """A row, or refused; what was read is written and read alike."""
    try:
        row = codec.decode(encoded)
    except UnreadableError as error:
        assert "\n" not in str(error)
        return
    assert codec.due_of(encoded) >= 0
    row.due %= 2**64
    again = codec.encode(row)
    assert codec.encode(codec.decode(again)) == again


def check_changelog(records: list[Record]) -> None:
    """A partition that can go on, or refused."""
    restore = Restore()
    partition = Partition(0, DEFAULT_LIMITS, Table())
    try:
        restore.read(records)
        if restore.marker is not None:
            partition.resume(restore.marker.state, restore.rows)
    except UnreadableError as error:
        assert "\n" not in str(error)
        return
    assert len(restore.outputs) <= len(records)
    assert len(partition.table) == (len(restore.rows) if restore.marker else 0)


STORED: Final = (
    Target("rows", batches(*_ROWS), check_row),
    Target("changelog", alone(st.lists(_whole | _damaged, max_size=10)), check_changelog),
)
