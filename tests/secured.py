"""Secured servers for tests: an authority of our own, Apache Kafka that asks for a login, Redis over TLS."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from app.demo.embedded import HOST, LocalServer, Probe, free_port, kafka_probe
from tests.servers import KAFKA, fetch_kafka, missing, redis_program

USER: Final = "rekindle-user"
PASSWORD: Final = "S3cret-of-the-test"  # noqa: S105  known to nobody else's broker
PLAIN_PASSWORD: Final = "S3cret-of-plain"  # noqa: S105  likewise

_START_S: Final = 120
_STOP_S: Final = 30

_MODULES: Final = "org.apache.kafka.common.security"
_PROPERTIES: Final = """
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN
listener.name.sasl_plaintext.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required user_{user}="{plain}";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={modules}.scram.ScramLoginModule required;
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


class Authority:
    """A certificate authority in a folder of its own; `ca` is its certificate, for those who trust it."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self.ca = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        _openssl(self.ca, self._key, name, "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name: str, *extensions: str) -> tuple[Path, Path]:
        """A certificate for a name, with its key."""
        certificate, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        signed = ("-CA", str(self.ca), "-CAkey", str(self._key))
        _openssl(certificate, key, name, "basicConstraints=critical,CA:FALSE", *extensions, options=signed)
        return certificate, key


def _openssl(certificate: Path, key: Path, name: str, *extensions: str, options: tuple[str, ...] = ()) -> None:
    program = which("openssl") or missing("openssl is not here: apt-get install openssl")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    added = [word for extension in extensions for word in ("-addext", extension)]
    files = ("-subj", f"/CN={name}", "-keyout", str(key), "-out", str(certificate))
    command = [program, "req", "-x509", *curve, *files, *options, *added]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  openssl


class SecuredKafka:
    """Apache Kafka with a port for each way in. Whoever logs in may do nothing, until `allow`.

    Its certificate is for 127.0.0.1 alone; the port for `ssl` asks for one too.
    """

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.authority = authority
        certificate, key = authority.issue("broker", f"subjectAltName=IP:{HOST}")
        self._keystore = folder / "broker-keystore.pem"
        self._keystore.write_text(key.read_text() + certificate.read_text())
        self.ports = {name: free_port() for name in ("PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT")}
        self._server = self._start(folder)
        self.add_user(USER)

    def at(self, security: str) -> str:
        """The address for a way in."""
        return f"{HOST}:{self.ports[security.upper()]}"

    def settings(self, security: str = "sasl_ssl", **others: str) -> dict[str, str]:
        """What a user sets to come in."""
        given = {"kafka": self.at(security), "kafka_security": security}
        if "sasl" in security:
            given |= {"kafka_username": USER, "kafka_password": PASSWORD}
        if "ssl" in security:
            given |= {"kafka_ca": str(self.authority.ca)}
        return given | others

    def allow(self, user: str, resource: ResourceType, name: str, *operations: ACLOperation) -> None:
        """Allow a user something on all whose names begin so."""
        pattern = ResourcePattern(resource, name, ACLResourcePatternType.PREFIXED)
        acls = [ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, pattern) for operation in operations]
        with KafkaAdminClient(bootstrap_servers=self.at("plaintext")) as client:
            assert not client.create_acls(acls)["failed"]

    def add_user(self, name: str) -> None:
        """One more user, with the password of all, by SCRAM."""
        with KafkaAdminClient(bootstrap_servers=self.at("plaintext")) as client:
            for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
                refused = client.alter_user_scram_credentials([UserScramCredentialUpsertion(name, mechanism, PASSWORD)])
                assert not any(refused.values()), refused

    def stop(self) -> None:
        """Stop it."""
        self._server.stop(_STOP_S)

    def _start(self, folder: Path) -> LocalServer:
        properties = folder / "secured.properties"
        text = _PROPERTIES.format(
            keystore=self._keystore, ca=self.authority.ca, user=USER, plain=PLAIN_PASSWORD, modules=_MODULES
        )
        properties.write_text(text)
        plain = self.ports["PLAINTEXT"]
        more = [
            word
            for name, port in self.ports.items()
            if port != plain
            for word in ("--listener", f"{name}://{HOST}:{port}")
        ]
        command = [sys.executable, str(KAFKA), "--port", str(plain), *more, "--properties", str(properties)]
        return LocalServer("secured Apache Kafka", command, kafka_probe(plain), patience_s=_START_S)


class SecuredRedis(LocalServer):
    """The system's redis-server with a password, over TLS at `url`."""

    def __init__(self, authority: Authority) -> None:
        certificate, key = authority.issue("redis", f"subjectAltName=IP:{HOST}")
        port, tls_port = free_port(), free_port()
        command = [
            *(redis_program(), "--bind", HOST, "--port", str(port), "--save", "", "--requirepass", PASSWORD),
            *("--tls-port", str(tls_port), "--tls-auth-clients", "no"),
            *("--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(authority.ca)),
        ]
        super().__init__("secured Redis", command, Probe(port, b"PING\r\n", b"-NOAUTH"))
        self.url = f"rediss://:{PASSWORD}@{HOST}:{tls_port}"


@pytest.fixture(scope="session")
def authority() -> Iterator[Authority]:
    """Who signed the certificates of all secured servers."""
    with TemporaryDirectory(prefix="rekindle-authority-") as folder:
        yield Authority(Path(folder))


@pytest.fixture(scope="session")
def secured_kafka(authority: Authority) -> Iterator[SecuredKafka]:
    """Apache Kafka that asks for a login."""
    fetch_kafka()
    with TemporaryDirectory(prefix="rekindle-kafka-", ignore_cleanup_errors=True) as folder:
        kafka = SecuredKafka(Path(folder), authority)
        try:
            yield kafka
        finally:
            kafka.stop()


@pytest.fixture(scope="session")
def secured_redis(authority: Authority) -> Iterator[SecuredRedis]:
    """Redis over TLS, with a password."""
    with SecuredRedis(authority) as redis:
        yield redis
