"""A knock at a broker's door: whether it lets us in, and if not, why. The clients themselves would only time out."""

import asyncio
import socket
import ssl
import struct
from typing import BinaryIO, Final

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import IllegalSaslStateError, KafkaError, UnsupportedSaslMechanismError

from app.connection import KafkaConnection, Login

_API_VERSIONS: Final = struct.pack(">hhih", 18, 0, 1, -1)  # API key 18, version 0, correlation 1, no client id
_METADATA: Final = struct.pack(">hhihi", 3, 1, 1, -1, 0)  # of no topics; before a login it is not answered
_CORRELATION: Final = struct.pack(">i", 1)
_CLOSE_S: Final = 1.0
_TLS_ALERT: Final = b"\x15\x03"
_EXPIRED: Final = 10
_OTHER_HOST: Final = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, and that of an IP address


class ClosedError(Exception):
    """No broker lets us in: what is wrong, and what to do."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(f"{problem}: {advice}")
        self.problem = problem
        self.advice = advice


def first_open(kafka: KafkaConnection, patience_s: float) -> str:
    """The first server that lets us in, as a client; not from within an event loop.

    Raises ClosedError, within `patience_s` seconds or little more.
    """
    silent, refusals = [], []
    every = kafka.servers.split(",")
    for server in every:
        try:
            _knock(kafka, server, patience_s / len(every))
        except OSError as error:
            silent.append(_reason(error))
        except _RefusedError as error:
            refusals.append(ClosedError(f"the Kafka broker at {server} {error.problem}", error.advice))
        else:
            return server
    if refusals:
        raise refusals[0]
    raise ClosedError(
        f"no Kafka broker answers at {kafka.servers} ({', '.join(dict.fromkeys(silent))})",
        "start one (make kafka, or rekindle demo needs none), or set REKINDLE_KAFKA",
    )


class _RefusedError(ClosedError):
    """A broker answers; `problem` follows its address."""


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return (error.strerror or "").lower() or str(error)


def _knock(kafka: KafkaConnection, server: str, patience_s: float) -> None:
    """Come to one server as a client does; raises OSError where no broker answers."""
    host, _, port = server.rpartition(":")
    host = host.strip("[]")
    with socket.create_connection((host, int(port)), timeout=patience_s) as connection:
        try:
            _ask(_encrypted(connection, kafka.tls, host) if kafka.tls else connection, kafka)
        except ssl.SSLCertVerificationError as error:
            raise _distrust(error) from None
        except ssl.SSLError as error:
            advice = "if it wants a certificate of the client, set REKINDLE_KAFKA_CERTIFICATE"
            raise _RefusedError(f"ends the TLS handshake ({(error.reason or str(error)).lower()})", advice) from None
    if kafka.login is not None:
        asyncio.run(_log_in(kafka, kafka.login, host, int(port), patience_s))


def _encrypted(connection: socket.socket, tls: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """The handshake; a broker that speaks no TLS hangs up."""
    try:
        return tls.wrap_socket(connection, server_hostname=host)
    except (ssl.SSLEOFError, ConnectionError):
        advice = "set REKINDLE_KAFKA_SECURITY=plaintext, or sasl_plaintext, or REKINDLE_KAFKA to its port for TLS"
        raise _RefusedError("speaks no TLS", advice) from None


def _distrust(error: ssl.SSLCertVerificationError) -> _RefusedError:
    why = error.verify_message.rstrip(".")
    if error.verify_code in _OTHER_HOST:
        return _RefusedError(
            f"shows a certificate for another host ({why})", "set REKINDLE_KAFKA to a host named in it"
        )
    if error.verify_code == _EXPIRED:
        return _RefusedError("shows a certificate that has expired", "its owner has to renew it")
    return _RefusedError(
        f"shows a certificate that is not trusted ({why})",
        "set REKINDLE_KAFKA_CA to the PEM file of the authority that signed it",
    )


def _ask(connection: socket.socket, kafka: KafkaConnection) -> None:
    """Ask which requests are understood, and, where we come without a login, for something that takes one."""
    with connection, connection.makefile("rb") as answers:
        answer = _answer(connection, answers, _API_VERSIONS)
        if answer.startswith(_TLS_ALERT):
            raise _RefusedError("speaks TLS", "set REKINDLE_KAFKA_SECURITY=ssl, or sasl_ssl")
        if answer[4:8] != _CORRELATION:
            raise ConnectionError("what answers there is no Kafka broker")
        if kafka.login is None and not _answer(connection, answers, _METADATA):
            advice = "set REKINDLE_KAFKA_SECURITY to sasl_ssl or sasl_plaintext, REKINDLE_KAFKA_USERNAME and _PASSWORD"
            raise _RefusedError("wants a login", advice)


def _answer(connection: socket.socket, answers: BinaryIO, request: bytes) -> bytes:
    """The answer with its length and correlation id; only its start if it is none, nothing if the broker hangs up."""
    connection.sendall(struct.pack(">i", len(request)) + request)
    start = answers.read(8)
    if start[4:] != _CORRELATION:
        return start
    return start + answers.read(struct.unpack(">i", start[:4])[0] - 4)


async def _log_in(kafka: KafkaConnection, login: Login, host: str, port: int, patience_s: float) -> None:
    options = kafka.options()
    del options["bootstrap_servers"]
    connection = AIOKafkaConnection(host, port, request_timeout_ms=int(patience_s * 1000), **options)
    try:
        await connection.connect()
    except IllegalSaslStateError:
        wanted = "ssl" if kafka.tls else "plaintext"
        raise _RefusedError("asks for no login", f"set REKINDLE_KAFKA_SECURITY={wanted}, without a username") from None
    except UnsupportedSaslMechanismError:
        advice = "set REKINDLE_KAFKA_SASL_MECHANISM to one that it offers"
        raise _RefusedError(f"does not take {login.mechanism}", advice) from None
    except KafkaError as error:
        advice = "see REKINDLE_KAFKA_USERNAME and REKINDLE_KAFKA_PASSWORD"
        raise _RefusedError(f"refuses the login of {login.username} ({_words(error)})", advice) from None
    finally:
        await asyncio.wait([connection.close()], timeout=_CLOSE_S)


def _words(error: KafkaError) -> str:
    return " ".join(str(error.args[0] if error.args else type(error).__name__).split())[:200]
