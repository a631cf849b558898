"""Everything that is fuzzed."""

from typing import Final

from tests.fuzz.files import FILES
from tests.fuzz.rules import RULES
from tests.fuzz.settings import SETTINGS
from tests.fuzz.stored import STORED
from tests.fuzz.target import Target
from tests.fuzz.wire import WIRE
from tests.fuzz.words import WORDS

TARGETS: Final[tuple[Target, ...]] = (*WIRE, *STORED, *SETTINGS, *RULES, *WORDS, *FILES)
