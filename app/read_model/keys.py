"""The names of all keys in Redis that are about users.

```
<app_id>:<partition>:owner                  who writes: a process
<app_id>:<partition>:pointer                which stage is read, and which is being filled
<app_id>:<partition>:trail:<user>           what was said of a user lately
<app_id>:<partition>:<stage>:rows           user -> row, as in the changelog
<app_id>:<partition>:<stage>:labels         user -> the labels of the row
<app_id>:<partition>:<stage>:index          all labels
<app_id>:<partition>:<stage>:tag/           everybody
<app_id>:<partition>:<stage>:tag/vip        who has the tag vip, whatever its value
<app_id>:<partition>:<stage>:tag/vip/gold   whose tag vip is gold
```
"""

from dataclasses import dataclass

from schemas.events import UserId
from tables.labels import EVERYBODY, Label


@dataclass(frozen=True)
class StageKeys:
    """The keys of one copy of a partition's rows. `name`: of the stage."""

    prefix: str
    name: str

    @property
    def rows(self) -> str:
        """A hash: user -> row."""
        return f"{self.prefix}:{self.name}:rows"

    @property
    def labels(self) -> str:
        """A hash: user -> labels."""
        return f"{self.prefix}:{self.name}:labels"

    @property
    def index(self) -> str:
        """A set: all labels that anybody has or had."""
        return f"{self.prefix}:{self.name}:index"

    @property
    def everybody(self) -> str:
        """A set: all users."""
        return self.users(EVERYBODY)

    def users(self, label: Label) -> str:
        """A set: the users who have a label."""
        return f"{self.prefix}:{self.name}:tag/{label}"


@dataclass(frozen=True)
class Keys:
    """The keys of one partition."""

    app_id: str
    partition: int

    @property
    def _prefix(self) -> str:
        return f"{self.app_id}:{self.partition}"

    @property
    def owner(self) -> str:
        """A string: the process that writes."""
        return f"{self._prefix}:owner"

    @property
    def pointer(self) -> str:
        """A string: a Pointer."""
        return f"{self._prefix}:pointer"

    def trail(self, user_id: UserId) -> str:
        """A list: what was said of a user, the newest last."""
        return f"{self._prefix}:trail:{user_id}"

    def stage(self, name: str) -> StageKeys:
        """Those of one copy."""
        return StageKeys(self._prefix, name)
