"""What Rekindle stands on: each package with its reason, its pin, its hashes, and a licence that we can live with.

All of it is known offline. Known vulnerabilities are not: for them there is `make audit`.
"""

import re
import tomllib
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY: Final = Path(__file__).parents[1]
PROJECT: Final = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
LOCKS: Final = ("requirements.lock", "requirements-dev.lock")

PIN: Final = re.compile(r"([a-z0-9-]+)==([^ ;]+)( ; (.+))? \\")
HASH: Final = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
NOT_OURS: Final = {"pip", "setuptools", "rekindle"}
"""What a virtual environment begins with, and ourselves."""

LICENCES: Final = frozenset(
    {
        *("MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "ISC"),
        *("MIT License", "BSD License", "Apache Software License"),
        *("Python Software Foundation License", "ISC License (ISCL)"),
    }
)
EXCEPTIONS: Final = {
    "hypothesis": ({"MPL-2.0"}, "only tests use it"),
    "numpy": ({"0BSD", "CC0-1.0", "Zlib"}, "of small parts of it; they ask for less than the MIT licence"),
    "orjson": ({"MPL-2.0"}, "only a benchmark uses it"),
    "pathspec": ({"Mozilla Public License 2.0 (MPL 2.0)"}, "only builds the package; we change nothing in it"),
    "venusian": ({"Repoze Public License"}, "a BSD licence with another name; Faust needs it"),
}


class Pin(NamedTuple):
    """A line of a lock."""

    version: str
    marker: str | None


def pins(lock: str) -> dict[str, set[Pin]]:
    """The packages of a lock, by name: one for each kind of machine."""
    found: dict[str, set[Pin]] = {}
    for line in (REPOSITORY / lock).read_text().splitlines():
        if each := PIN.fullmatch(line):
            found.setdefault(each[1], set()).add(Pin(each[2], each[4]))
    return found


def installed() -> dict[str, Distribution]:
    return {name: each for each in distributions() if (name := canonicalize_name(each.name)) not in NOT_OURS}


def direct(*extras: str) -> set[str]:
    """The packages that we ask for ourselves."""
    wanted = [each for extra in extras for each in PROJECT["optional-dependencies"][extra]] or PROJECT["dependencies"]
    return {canonicalize_name(Requirement(each).name) for each in wanted}


def documented(number: int) -> set[str]:
    """The first column of a table in docs/dependencies.md."""
    tables = (REPOSITORY / "docs/dependencies.md").read_text().split("| --- | --- |\n")
    return {line.split("|")[1].strip() for line in tables[number].split("\n\n")[0].splitlines()}


def licences(package: Distribution) -> set[str]:
    """What a package says of its licence: the new way, the old way, or in a word."""
    told = package.metadata
    if expression := told.get_all("License-Expression"):
        return set(re.split(r" AND | OR |[()]", expression[0])) - {""}
    classified = {each.split(" :: ")[-1] for each in told.get_all("Classifier", []) if each.startswith("License")}
    return classified or set(told.get_all("License", ["none told"]))


def test_every_direct_dependency_has_its_reason_and_every_reason_a_dependency() -> None:
    assert documented(1) == direct()
    assert documented(2) == direct("install", "dev")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_with_hashes_and_nothing_else(lock: str) -> None:
    lines = (REPOSITORY / lock).read_text().splitlines()
    assert [line for line in lines if not PIN.fullmatch(line) and not HASH.fullmatch(line)] == []
    followers = {line: then for line, then in zip(lines, [*lines[1:], ""], strict=True) if PIN.fullmatch(line)}
    assert [line for line, then in followers.items() if not HASH.fullmatch(then)] == []


def test_the_locks_agree_and_hold_all_that_is_asked_for() -> None:
    run, develop = map(pins, LOCKS)
    assert run.items() <= develop.items()
    assert direct() | direct("install") <= run.keys()
    assert direct("dev") <= develop.keys()


def test_what_is_installed_is_what_is_locked() -> None:
    locked = {
        name: pin.version
        for name, each in pins(LOCKS[1]).items()
        for pin in each
        if not pin.marker or Marker(pin.marker).evaluate()
    }
    assert {name: each.version for name, each in installed().items()} == locked


def test_every_licence_is_one_of_those_that_we_take() -> None:
    strange = {name: told for name, each in installed().items() if (told := licences(each) - LICENCES)}
    assert strange == {name: own for name, (own, _) in EXCEPTIONS.items()}
