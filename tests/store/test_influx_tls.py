"""A store behind TLS: whom it trusts, and one clear line for everything that can be wrong with that."""

import shutil
import ssl
import subprocess
from contextlib import closing

import pytest

from raw_server import RawServer
from scenewatch.model.errors import ConfigurationError, TemporaryError
from scenewatch.store.influxserver import InfluxServer
from scenewatch.store.influxurl import InfluxUrl

pytestmark = pytest.mark.skipif(
    not shutil.which("openssl"), reason="makes its certificates with the openssl command"
)
NAMES = {"ours": "IP:127.0.0.1", "elsewhere": "DNS:store.example"}
LINE = b"m v=1 1\n"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    for name, alternative in NAMES.items():
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
                *("-addext", f"subjectAltName={alternative}", "-keyout", f"{name}.key", "-out", f"{name}.pem"),
            ],
            cwd=folder,
            check=True,
            capture_output=True,
        )
    return folder


@pytest.fixture
def serve(certificates):
    servers = []

    def serve(name):
        context = None
        if name is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
        servers.append(RawServer(context))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


def client(address, **options):
    return closing(InfluxServer(InfluxUrl.parse(f"influx+{address}/?bucket=b"), **options))


def test_a_server_that_is_trusted_is_written_and_asked(serve, certificates, tmp_path):
    server = serve("ours")
    (tmp_path / "token").write_text("secret")
    options = {"token_file": tmp_path / "token", "ca_file": certificates / "ours.pem"}
    with client(server.address, **options) as store:
        store.write(LINE)
        assert store.query("SELECT 1") == [[]]
    assert [headers["authorization"] for _, headers, _ in server.requests] == ["Token secret"] * 2
    assert server.requests[0][2] == LINE


@pytest.mark.parametrize("ask", [lambda store: store.write(LINE), lambda store: store.query("SELECT 1")])
@pytest.mark.parametrize(
    ("served", "scheme", "trusted", "told"),
    [
        ("ours", "https", None, r"not trusted; name its CA in store\.ca_file \(.*self-signed certificate"),
        ("ours", "https", "elsewhere", r"not trusted; name its CA in store\.ca_file"),
        ("elsewhere", "https", "elsewhere", r"not trusted.*IP address mismatch"),
        (None, "https", "ours", "TLS does not work; is it https that is spoken there?"),
        ("ours", "http", None, "gives no whole answer"),
    ],
    ids=["by nobody", "by another", "for another name", "no TLS", "TLS unasked"],
)
def test_what_is_wrong_with_the_trust_is_one_line(serve, certificates, served, scheme, trusted, told, ask):
    server = serve(served)
    address = f"{scheme}:{server.address.partition(':')[2]}"
    ca_file = None if trusted is None else certificates / f"{trusted}.pem"
    with client(address, ca_file=ca_file) as store, pytest.raises(TemporaryError, match=told) as raised:
        ask(store)
    assert str(raised.value).isprintable()
    assert server.requests == []


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_ca_file_that_is_none_is_a_mistake(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"store\.ca_file"):
        client("https://127.0.0.1:1", ca_file=file)
