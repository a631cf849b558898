"""Checks of this machine: Python and packages, settings, Redis, the web port."""

import errno
import os
import sys
import tomllib
from http.client import HTTPConnection, HTTPException
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.doctor.check import Check, Level
from app.ports import problem
from app.settings import SECRETS_FOLDER, SETTINGS_FILE, Settings
from app.topics import one_line

PYTHONS: Final = ((3, 11), (3, 14))
PACKAGES: Final = ("rekindle", "aiokafka", "faust-streaming", "kafka-python", "msgspec", "redis")

_WAIT_S: Final = 3
_PREFIX: Final = "REKINDLE_"


def python() -> Check:
    """Whether this Python is one that Rekindle is made for."""
    found = ".".join(map(str, sys.version_info[:3]))
    low, high = PYTHONS
    if low <= sys.version_info[:2] <= high:
        return Check("python", Level.OK, found)
    wanted = f"use Python {low[0]}.{low[1]} to {high[0]}.{high[1]}"
    return Check("python", Level.FAILED, found, wanted)


def packages() -> Check:
    """Whether the main packages are installed, and which versions."""
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", Level.FAILED, f"missing: {', '.join(missing)}", "make setup installs them")
    return Check("packages", Level.OK, ", ".join(found))


def origins() -> Check:
    """Where the settings, which are valid, come from."""
    names = {name.upper().removeprefix(_PREFIX).lower() for name in os.environ if name.upper().startswith(_PREFIX)}
    here = sorted(names & set(Settings.model_fields))
    path = Path(SETTINGS_FILE)
    there = sorted(tomllib.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []
    parts = [f"from the environment: {', '.join(here)}"] if here else []
    if secret := [name for name in Settings.model_fields if _is_secret(name) and name not in here]:
        parts.append(f"from {SECRETS_FOLDER}: {', '.join(secret)}")
    if rest := [name for name in there if name not in {*here, *secret}]:
        parts.append(f"from {SETTINGS_FILE}: {', '.join(rest)}")
    return Check(
        "settings",
        Level.OK,
        "valid; " + "; ".join([*parts, "the others are defaults" if parts else "all are defaults"]),
    )


def _is_secret(name: str) -> bool:
    return (Path(SECRETS_FOLDER) / f"{_PREFIX}{name}".lower()).is_file()


def store(settings: Settings) -> Check:
    """Whether Redis answers. Without it the processor goes on, and only the read model stands still."""
    connection = settings.redis_connection
    place = connection.place
    try:
        with redis.Redis.from_url(
            **connection.options(),
            socket_timeout=_WAIT_S,
            socket_connect_timeout=_WAIT_S,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            told = client.info("server")
    except (redis.RedisError, ValueError, OSError) as error:
        advice = "start Redis or set REKINDLE_REDIS; until then there is no read model, and all else goes on"
        return Check("redis", Level.WARNING, f"does not answer at {place} ({one_line(error)})", advice)
    return Check("redis", Level.OK, f"{told.get('server_name', 'redis')} {told.get('redis_version', '?')} at {place}")


def web(settings: Settings) -> Check:
    """Whether the web view's port can be had, or a worker serves it already."""
    place = f"{settings.web_host}:{settings.web_port}"
    error = problem(settings.web_host, settings.web_port)
    if error is None:
        return Check("web", Level.OK, f"{place} is free")
    if error.errno == errno.EADDRINUSE:
        return _served(settings, place)
    reason = (error.strerror or str(error)).lower()
    return Check("web", Level.FAILED, f"{place} cannot be had ({reason})", "set REKINDLE_WEB_HOST and _PORT")


def _served(settings: Settings, place: str) -> Check:
    connection = HTTPConnection(settings.web_host, settings.web_port, timeout=_WAIT_S)
    try:
        connection.request("GET", "/")
        body = connection.getresponse().read()
    except (OSError, HTTPException):
        body = b""
    finally:
        connection.close()
    if b"rekindle" in body.lower():
        return Check("web", Level.OK, f"{place} is served by a worker")
    return Check("web", Level.FAILED, f"{place} is in use by another program", "set REKINDLE_WEB_PORT to a free one")
