"""What campaigns are compiled from: the tables of a rules file and those that are built in."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from agents.rules.mistake import KeyPath
from agents.rules.scope import Scope
from schemas.campaigns import CampaignTable, RecallTable
from schemas.changes import TagName
from schemas.events import Scalar


class CampaignDraft(NamedTuple):
    """A campaign of a file, and where it stands there; a built-in one stands nowhere."""

    table: CampaignTable
    path: KeyPath = ()


class CampaignDrafts(NamedTuple):
    """The campaigns of a file, those that are built in, and what holds for all."""

    own: Sequence[CampaignDraft] = ()
    builtin: Sequence[CampaignTable] = ()
    recall: RecallTable = RecallTable()


class KnownTags(NamedTuple):
    """The tags that campaigns may name.

    `values`: those that a tag can have, where its rule tells them all. `switched_off`: tags whose rule is off, and
    which nobody sets by hand.
    """

    scope: Scope
    values: Mapping[TagName, Sequence[Scalar]]
    switched_off: AbstractSet[TagName]
