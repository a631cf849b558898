"""Events that left their topic before they were applied."""

from schemas.topics import Offset, Topic


class LostEventsError(Exception):
    """Events that were not applied yet have left their topic; the text says which, and how to go on."""


def lost_events(topic: Topic, partition: int, position: Offset, begin: Offset, end: Offset) -> LostEventsError:
    """What was lost, in words."""
    where = f"partition {partition} of {topic}"
    if position < begin:
        what = f"{where} goes on at offset {position}, but its oldest record is {begin}: {begin - position} are gone"
        why = "they left the topic's retention before they were applied"
    else:
        what = f"{where} goes on at offset {position}, but ends at {end}"
        why = "the topic was made anew, or its broker has lost records"
    return LostEventsError(
        f"{what} ({why}). To go on without them set REKINDLE_ON_LOST_EVENTS=accept once;"
        " to begin anew set another REKINDLE_APP_ID and replay the history"
    )
