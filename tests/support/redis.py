"""A Redis server of the tests' own, and the ways in which a Redis falls sick."""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, TimeoutError
from redis.retry import Retry

from tests.support.waiting import free_port, wait_until

#: Keys that make loading slow, in a database that nobody else uses.
_BALLAST_DB, _BALLAST_KEYS, _BALLAST = 15, 1000, "x" * 2000


class RedisServer:
    """Started by `start`, gone after `close`; keeps its port and its folder in between."""

    def __init__(self, *, password: str = "", aof: bool = False, tls: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="k9ops-redis-"))
        self.port = free_port()
        self.password, self.aof, self.tls = password, aof, tls
        self._process: subprocess.Popen[bytes] | None = None
        if tls:
            make_certificate(self.folder)

    def start(self, *options: str) -> "RedisServer":
        """Start it on the data it left; `options` are those of redis-server."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["redis-server", *self._options(), *options], stdout=log, stderr=log
            )
        wait_until(self.answers, 10, pause=0.005)
        return self

    def _options(self) -> list[str]:
        common = ["--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""]
        common += ["--databases", "16", *self._listening()]
        if self.password:
            common += ["--requirepass", self.password]
        if self.aof:
            common += ["--appendonly", "yes", "--appendfsync", "always"]
        return common

    def _listening(self) -> list[str]:
        if not self.tls:
            return ["--port", str(self.port)]
        ports = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
        own = ["--tls-cert-file", str(self.certificate), "--tls-key-file", str(self.key)]
        return [*ports, *own, "--tls-ca-cert-file", str(self.certificate)]

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def certificate(self) -> Path:
        """The server's certificate, signed by itself."""
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def pid(self) -> int:
        return self._process.pid

    def url(self, db: int = 0, *, password: str | None = None, port: int | None = None) -> str:
        """Its address; with another password or port: that of one who is mistaken, or a proxy's."""
        password = self.password if password is None else password
        sign_in = f":{password}@" if password else ""
        end = f"{sign_in}127.0.0.1:{port or self.port}/{db}"
        if self.tls:
            return f"rediss://{end}?ssl_cert_reqs=required&ssl_ca_certs={self.certificate}"
        return f"redis://{end}"

    def client(self, db: int = 0) -> Redis:
        """A client that never tries twice and never waits long."""
        return Redis.from_url(
            self.url(db),
            decode_responses=True,
            socket_timeout=5,
            socket_connect_timeout=1,
            retry=Retry(NoBackoff(), 0),
        )

    def answers(self) -> bool:
        """Whether it is there, be it with a refusal."""
        assert self._process.poll() is None, f"Redis ended:\n{self.log.read_text()}"
        try:
            with self.client() as client:
                return bool(client.ping())
        except BusyLoadingError:
            return True
        except (ConnectionError, TimeoutError):
            return False

    def stop(self) -> None:
        """SIGTERM: without an append-only file its data is gone."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self.thaw()
            self._process.send_signal(how)
            self._process.wait(20)

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def make_full(self) -> None:
        """Refuse writes for want of memory; nothing is evicted."""
        self._configure({"maxmemory-policy": "noeviction", "maxmemory": 1})

    def make_roomy(self) -> None:
        self._configure({"maxmemory": 0})

    def make_read_only(self) -> None:
        """Follow a primary that does not exist, as after a failover that went wrong."""
        with self.client() as client:
            client.replicaof("127.0.0.1", free_port())

    def make_writable(self) -> None:
        with self.client() as client:
            client.replicaof("NO", "ONE")

    def make_loading(self, seconds: float = 30) -> None:
        """Start anew on a snapshot that takes so long to read; answers `-LOADING` meanwhile.

        For a server without an append-only file, which would be read instead.
        """
        with self.client(_BALLAST_DB) as client:
            client.config_set("rdbcompression", "no")
            client.mset({f"ballast-{number}": _BALLAST for number in range(_BALLAST_KEYS)})
            client.save()
        self.kill()
        pause = str(int(seconds * 1_000_000 / _BALLAST_KEYS))
        often = ("--loading-process-events-interval-bytes", "2048")
        self.start("--key-load-delay", pause, *often)

    def finish_loading(self) -> None:
        """End what `make_loading` began: the data is there again."""
        self._configure({"key-load-delay": 0})
        wait_until(self._has_loaded, 10, pause=0.01)
        (self.folder / "dump.rdb").unlink()
        with self.client(_BALLAST_DB) as client:
            client.flushdb()

    def _has_loaded(self) -> bool:
        with self.client() as client:
            return not client.info("persistence")["loading"]

    def _configure(self, values: dict[str, object]) -> None:
        with self.client() as client:
            for name, value in values.items():
                client.config_set(name, value)


def make_certificate(folder: Path) -> None:
    """A key and a certificate for the loopback address, signed by itself, for one day."""
    files = ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    names = ["-subj", "/CN=tests", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", *kind, *names, *files]
    subprocess.run(command, check=True, capture_output=True)
