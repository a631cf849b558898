"""When records came into Kafka, of a sample of those that wait: so that it is known how long they took.

```
clicks    o o o o o o o o o | o o o             chunks; of each the first record is noted, and every hundredth
          ^                 ^                   (offset, timestamp)
applied             ->|                         an epoch is committed: what lies before has been waited for
```
"""

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from app.live.chunk import InputRecord
from schemas.times import Millis
from schemas.topics import Offset, Topic
from tables.merge import Position

EACH: Final = 100
"""So many records of a chunk have one that is noted: it costs some nanoseconds a record."""


class Arrivals:
    """Records of one partition that were taken, and are not yet applied and committed. As many as wait in the merge."""

    def __init__(self) -> None:
        self._noted: dict[Topic, deque[tuple[Offset, Millis]]] = {}

    def note(self, topic: Topic, records: Iterable[InputRecord]) -> None:
        """Note some of the records that come next in a topic. One that no timestamp came with is left out."""
        noted = self._noted.setdefault(topic, deque())
        noted.extend((each.offset, each.timestamp) for each in islice(records, 0, None, EACH) if each.timestamp >= 0)

    def applied(self, positions: Mapping[Topic, Position]) -> list[Millis]:
        """The timestamps of those that lie before these positions; they are forgotten."""
        found = []
        for topic, noted in self._noted.items():
            end = positions[topic].offset
            while noted and noted[0][0] < end:
                found.append(noted.popleft()[1])
        return found

    def clear(self) -> None:
        """All is read again."""
        self._noted.clear()
