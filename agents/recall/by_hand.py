"""What people told the campaigns of one partition: who is paused, and runs over all users, so many at a time.

```
users      a   b   c   d   e   f   g
           -----------
           cursor ^    a restart goes on behind it: users, what is due for them, and the cursor are of one epoch
```
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from agents.recall.desk import Desk
from schemas.control import Pause, Resume, Run, Told
from schemas.events import UserId
from schemas.times import Millis
from tables.control import NOTHING_TOLD, Control, Running
from tables.row import Row
from tables.table import Table

AT_EASE: Final = 50
"""So many users in an epoch, where no pace is set."""
MOST: Final = 500
"""And at the most so many, whatever the pace: some 20 ms."""
OVER_KEPT: Final = 8
"""Runs that are over, and still known."""
_LAST_S: Final = 1.0
"""An epoch that comes late makes up for no more than this."""


class ByHand:
    """Applies commands to a desk, each once. `floor`: the time before which nothing is decided about a user.

    `control` is replaced whenever it changes.
    """

    def __init__(self, desk: Desk, table: Table, floor: Callable[[Row], Millis], partitions: int = 1) -> None:
        self.control = NOTHING_TOLD
        self._desk = desk
        self._table = table
        self._floor = floor
        self._partitions = partitions
        self._queues: dict[str, list[UserId]] = {}
        self._credits: dict[str, float] = {}

    def resume(self, control: Control) -> None:
        """Go on from what an epoch wrote."""
        self._become(control)
        self._queues, self._credits = {}, {}

    def take(self, told: Sequence[Told]) -> None:
        """Apply the commands that were not applied before."""
        for offset, command in told:
            if offset < self.control.position:
                continue
            control, paused = self.control, self.control.paused
            if isinstance(command, Pause):
                paused = {**paused, command.campaign: paused.get(command.campaign, command.at)}
            elif isinstance(command, Resume):
                paused = {name: at for name, at in paused.items() if name != command.campaign}
            runs = control.runs if not isinstance(command, Run) else _with(control.runs, command)
            self._become(Control(offset + 1, paused, runs))

    @property
    def active(self) -> list[Running]:
        """The runs that can go on now."""
        paused = self.control.paused
        return [run for run in self.control.runs if not run.is_over and run.campaign not in paused]

    def left(self, run: Running) -> int:
        """How many users have yet to get their turn in a run."""
        return 0 if run.is_over else len(self._queue(run))

    def go_on(self, seconds: float) -> None:
        """Let each run come to its next users. `seconds`: since the last time."""
        for run in self.active:
            self._step(run, self._allowance(run, min(seconds, _LAST_S)))

    def _become(self, control: Control) -> None:
        self.control = control
        self._desk.paused = control.paused.keys()

    def _allowance(self, run: Running, seconds: float) -> int:
        """How many users may get their turn now; what is less than one is put by."""
        if run.pace is None:
            return AT_EASE
        credit = self._credits.get(run.id, 0.0) + run.pace / self._partitions * seconds
        self._credits[run.id] = credit % 1
        return min(int(credit), MOST)

    def _queue(self, run: Running) -> list[UserId]:
        """The users behind the cursor who were there when it was first asked for, the next one last."""
        if run.id not in self._queues:
            self._queues[run.id] = sorted((user for user in self._table.users() if user > run.cursor), reverse=True)
        return self._queues[run.id]

    def _step(self, run: Running, at_most: int) -> None:
        queue, cursor, users = self._queue(run), run.cursor, run.users
        for _ in range(min(at_most, len(queue))):
            cursor = queue.pop()
            users += self._decide(run, cursor)
        after = replace(run, cursor=cursor if queue else "", users=users, is_over=not queue)
        if after.is_over:
            del self._queues[run.id]
            self._credits.pop(run.id, None)
        if after != run:
            runs = tuple(after if each is run else each for each in self.control.runs)
            self.control = replace(self.control, runs=_kept(runs))

    def _decide(self, run: Running, user_id: UserId) -> bool:
        """Let the campaign decide about a user as soon as time comes there; whether anything is known of them."""
        row = self._table.get(user_id)
        if row is None or row.is_blank:
            return False
        self._desk.run(row, user_id, run.campaign, run.id, self._floor(row))
        self._table.put(user_id, row)
        self._table.schedule(user_id, row, row.recall_due)
        return True


def _with(runs: Sequence[Running], new: Run) -> tuple[Running, ...]:
    if any(run.id == new.id for run in runs):
        return tuple(runs)
    return *runs, Running(id=new.id, campaign=new.campaign, at=new.at, pace=new.pace)


def _kept(runs: Sequence[Running]) -> tuple[Running, ...]:
    """Without the oldest of those that are over, where they are many."""
    over = [run for run in runs if run.is_over][-OVER_KEPT:]
    return tuple(run for run in runs if not run.is_over or run in over)
