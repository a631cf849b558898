"""What counts as stated: the attribute `gender` of the profile, in its usual spellings."""

from typing import Final, Literal, TypeAlias

from tables.row import Row

Gender: TypeAlias = Literal["female", "male"]

ATTRIBUTE: Final = "gender"
_SPELLINGS: Final[dict[str, Gender]] = {
    **dict.fromkeys(("f", "female", "w", "woman", "女"), "female"),
    **dict.fromkeys(("m", "male", "man", "男"), "male"),
}


def word_on_gender(row: Row) -> object:
    """The newest word of the profile; None where there is none, or an empty one."""
    register = row.attributes.get(ATTRIBUTE)
    word = None if register is None else register.value
    return None if isinstance(word, str) and not word.strip() else word


def gender_of(word: object) -> Gender | None:
    """What a word means; None where it means neither, which is a word all the same.

    >>> gender_of(" Female"), gender_of("男"), gender_of("diverse"), gender_of(1)
    ('female', 'male', None, None)
    """
    return _SPELLINGS.get(word.strip().casefold()) if isinstance(word, str) else None
