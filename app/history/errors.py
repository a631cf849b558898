"""What is wrong with a history as a whole, in one sentence that says what to do."""


class HistoryError(Exception):
    """A history file that cannot be used at all. The text is for the person who named the file.

    A single bad record is not this: it becomes a dead letter, and the rest goes on.
    """
