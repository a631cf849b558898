"""Values that the newest event decides, whatever arrives last."""

from tables.row import Register, Registers


def newest(known: Register | None, new: Register) -> Register:
    """The later of two by (ts, event_id)."""
    return known if known is not None and (known.ts, known.event_id) > (new.ts, new.event_id) else new


def put(registers: Registers, name: str, new: Register, capacity: int | None = None) -> None:
    """Keep the newest word on a name; of more names than the capacity, those with the newest words.

    >>> registers = {}
    >>> put(registers, "region", Register("north", 5, "e2")); put(registers, "region", Register("south", 4, "e9"))
    >>> registers["region"].value
    'north'
    """
    registers[name] = newest(registers.get(name), new)
    if capacity is not None and len(registers) > capacity:
        del registers[min(registers, key=lambda each: (registers[each].ts, registers[each].event_id, each))]
