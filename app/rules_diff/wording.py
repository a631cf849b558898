"""How the decisions of campaigns are told to people."""

from app.rules_diff.campaign_data import Decided, Way


def way_of(way: Way) -> str:
    """A channel, with the variant.

    >>> way_of(Way(channel="sms", variant="b", old=1, new=2, old_cost=5, new_cost=10))
    'triggered: sms, variant b'
    """
    return f"triggered: {way.channel}" + (f", variant {way.variant}" if way.variant else "")


def decision_of(decided: Decided) -> str:
    """An outcome, with the reason.

    >>> decision_of(Decided(outcome="suppressed", reason="no_consent", old=1, new=2))
    'suppressed: no consent'
    """
    reason = f": {decided.reason.replace('_', ' ')}" if decided.reason else ""
    return f"{decided.outcome.replace('_', ' ')}{reason}"
