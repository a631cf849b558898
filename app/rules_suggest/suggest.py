"""A file of rules that fit a history."""

from collections import Counter

from agents.limits import Limits
from agents.rules.rulebook import NO_RULES
from app.fold import fold, partition_of_all
from app.history.history import History
from app.rules_suggest.known import buyer, views
from app.rules_suggest.rules import suggestions
from app.rules_suggest.toml import document
from app.rules_suggest.usual import Usual
from app.wording import counted, moment


class NothingKnownError(Exception):
    """The history has nobody who ordered."""


def suggested(history: History, limits: Limits) -> str:
    """A file of rules, as TOML, that fit a history as of its end.

    Raises HistoryError for files that cannot be read, NothingKnownError where nobody ordered.
    """
    partition = partition_of_all(limits, NO_RULES)
    for _ in fold(history, [partition], Counter()):
        pass
    usual, buyers = Usual(), []
    for view in views(partition, history.until or 0):
        usual.add(view)
        if (found := buyer(view)) is not None:
            buyers.append(found)
    if not buyers:
        raise NothingKnownError("nobody ordered in this history, so there is nothing to suggest")
    return document(_heading(len(buyers), history), usual.shares(), suggestions(buyers))


def _heading(buyers: int, history: History) -> list[str]:
    made_from = f"{counted(buyers, 'user')} with an order, as of {moment(history.until or 0)}"
    return [
        f"Suggested by `rekindle rules suggest` from {made_from}.",
        "These rules replace the built-in ones of the same name. What they would change: `rekindle rules diff`.",
        "Where too many users share one number to be told apart, a score or a tier is left out.",
        "[population.*]: the mean of the users' own shares; rare values are left out.",
    ]
