"""What live triggers have brought, from a file of records of the topic `churn-examples`."""

from pathlib import Path
from typing import Final

import msgspec

from app.history.errors import HistoryError
from schemas.examples import Example, Lesson

_DECODE: Final = msgspec.json.Decoder(Example).decode


def read_lessons(path: Path) -> list[Lesson]:
    """The lessons among the examples of a file, a JSON record a line, each said once.

    Raises HistoryError for a line that is none, OSError where the file cannot be read.
    """
    found: dict[tuple[object, ...], Lesson] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                example = _DECODE(line)
            except msgspec.MsgspecError as error:
                raise HistoryError(f"{path}: line {number} is no record of churn-examples: {error}") from error
            if isinstance(example, Lesson):
                found[example.user, example.campaign, example.channel, example.at] = example
    return list(found.values())
