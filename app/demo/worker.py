"""The worker that the demo starts, a process of its own, and what it answers."""

import http.client
import os
import sys
from pathlib import Path
from typing import Final

import msgspec

from app.demo.embedded import HOST, LocalServer, Probe
from app.live.status import Summary
from app.settings import Settings, shown

SET_BY_DEMO: Final = (
    "kafka",
    "redis",
    "kafka_security",
    "kafka_username",
    "kafka_password",
    "kafka_ca",
    "kafka_certificate",
    "kafka_key",
    "redis_ca",
    "delivery",
    "clock",
    "partitions",
    "churn_every",
    "title",
    "web_host",
    "web_port",
)
"""What the worker is told by the demo; all other settings are the user's."""

# a server starts in a folder of its own, but rekindle.toml is looked for in the user's
_MAIN: Final = "import os, sys; os.chdir(sys.argv.pop(1)); from app.cli import main; main()"
_ANSWER_S: Final = 60
_TIMEOUT_S: Final = 2
_SUMMARY: Final = msgspec.json.Decoder(Summary).decode


class DemoWorker(LocalServer):
    """`rekindle worker` on 127.0.0.1; its page answers once this is built, its partitions may take longer."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            "the worker",
            [sys.executable, "-P", "-c", _MAIN, str(Path.cwd()), "worker", "--log-level", "warning"],
            Probe(settings.web_port, b"GET /healthz HTTP/1.0\r\n\r\n", b" 200 OK"),
            patience_s=_ANSWER_S,
            environment={**os.environ, **environment(settings)},
        )
        self.url = f"http://{HOST}:{settings.web_port}"

    @property
    def last_words(self) -> str:
        """The end of its log, after a colon; nothing if it said nothing."""
        return self._last_words()

    def is_ready(self) -> bool:
        """Whether all partitions are being processed."""
        return self._get("/readyz") is not None

    def summary(self) -> Summary | None:
        """What it knows now; None if it does not answer."""
        body = self._get("/api/summary")
        return None if body is None else _SUMMARY(body)

    def _get(self, path: str) -> bytes | None:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return body if answer.status == http.client.OK else None


def environment(settings: Settings) -> dict[str, str]:
    """The demo's settings as the environment of a worker, which asks for no token: it is for this machine alone."""
    given = {f"REKINDLE_{name.upper()}": shown(name, getattr(settings, name)) for name in SET_BY_DEMO}
    return {**given, "REKINDLE_WEB_TOKEN": ""}
