"""TLS: by nginx with a private authority and client certificates, and by ComfyUI itself."""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from comfyclient import Client, ClientConfig, ServerError, ServerUnreachable, _network
from comfyclient._realtime.frames import MessageSocket, new_socket
from tests.deployments.conftest import Certificates, TlsServer, use
from tests.workflows import PATIENCE, fresh_color, plain

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployments.nginx import Nginx


def at(front: Nginx, name: str) -> str:
    return f"https://127.0.0.1:{front.ports[name]}"


def test_a_private_authority(front: Nginx, certificates: Certificates) -> None:
    with Client(at(front, "tls"), verify=certificates.ca) as client:
        use(client)


def test_a_server_that_sends_everybody_to_tls(front: Nginx, certificates: Certificates) -> None:
    url = f"http://127.0.0.1:{front.ports['plain']}/secure"
    with Client(url, verify=certificates.ca, retry=None) as client:
        assert client.queue.info().exec_info.queue_remaining >= 0
        with pytest.raises(ServerUnreachable, match=f"the handshake was redirected to {at(front, 'tls')}/ws"):
            client.connect()
        with pytest.raises(ServerError, match=f"; write '{at(front, 'tls')}' as the server's address$"):
            client.submit(plain(1))


def test_a_directory_of_authorities(front: Nginx, certificates: Certificates, tmp_path: Path) -> None:
    openssl = shutil.which("openssl") or pytest.skip("needs openssl, for the name of a file")
    command = [openssl, "x509", "-hash", "-noout", "-in", str(certificates.ca)]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    shutil.copy(certificates.ca, tmp_path / f"{name}.0")
    with Client(at(front, "tls"), verify=tmp_path) as client:
        use(client)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_authority_of_the_environment(
    front: Nginx, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, str(certificates.ca))
    with Client(at(front, "tls")) as client:
        monkeypatch.delenv(variable)  # it is read once
        use(client)
    monkeypatch.setenv(variable, str(certificates.ca))
    with Client(at(front, "tls"), trust_env=False) as client:
        for ask in (client.queue.info, client.connect):
            with pytest.raises(ServerUnreachable, match="no authority that is trusted here"):
                ask()


def test_nobody_writes_to_a_websocket_beside_the_reader(
    front: Nginx, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's TLS sockets are for one thread at a time; ``close`` is called in another than the one that reads."""
    writers: list[str] = []

    def send(self: MessageSocket, data: str | bytes) -> int:
        writers.append(threading.current_thread().name)
        return real(self, data)

    kind = type(new_socket())
    real = kind._send
    monkeypatch.setattr(kind, "_send", send)
    with Client(at(front, "tls"), verify=certificates.ca) as client:
        client.connect()
        before = len(writers)
    assert len(writers) > before  # it took its leave
    assert set(writers) == {"comfyclient-reader"}


def test_no_verification(front: Nginx, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, and the environment does not bring it back; that warnings are errors here shows the rest."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file")
    _network._warn_of_unverified.cache_clear()  # another test may have heard it
    caplog.set_level(logging.WARNING, "comfyclient")
    for _ in range(2):
        with Client(at(front, "tls"), verify=False) as client:
            use(client)
    assert caplog.messages == [f"the certificate of {at(front, 'tls')} is not verified, as verify=False says"]


def test_no_verification_is_for_this_client_alone(front: Nginx, certificates: Certificates) -> None:
    with Client(at(front, "tls"), verify=False) as careless, Client(at(front, "tls")) as careful:
        careless.queue.info()
        with pytest.raises(ServerUnreachable):
            careful.queue.info()
        with pytest.warns(Warning, match="Unverified HTTPS request"):
            requests.get(at(front, "tls"), verify=False, timeout=10).close()  # noqa: S501 - others are still warned
    with Client(at(front, "tls"), verify=certificates.ca) as client:
        client.queue.info()


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("tls", {}, "its certificate is of no authority that is trusted here; name the file of that one in verify="),
        ("expired", {"verify": True}, "its certificate does not fit: certificate has expired"),
        ("elsewhere", {"verify": True}, "its certificate does not fit: .* not valid for '127.0.0.1'"),
    ],
)
def test_a_certificate_that_is_not_to_be_trusted(
    front: Nginx, certificates: Certificates, name: str, options: dict[str, Any], says: str
) -> None:
    if options:
        options = {"verify": certificates.ca}
    with Client(at(front, name), retry=None, **options) as client:
        for ask in (client.queue.info, client.connect, lambda: client.submit(plain(1))):
            with pytest.raises(ServerUnreachable, match=says) as caught:
                ask()
            assert not caught.value.maybe_sent


# --- client certificates ------------------------------------------------------------------------------------


def test_a_client_certificate(front: Nginx, certificates: Certificates) -> None:
    with Client(at(front, "mutual"), verify=certificates.ca, cert=certificates.client) as client:
        use(client)
    pair = (str(certificates.certificate), certificates.key)
    with Client(at(front, "mutual"), verify=certificates.ca, cert=pair) as client:
        use(client)


def test_a_client_certificate_without_verification(front: Nginx, certificates: Certificates) -> None:
    with Client(at(front, "mutual"), verify=False, cert=str(certificates.client)) as client:
        use(client)


def test_no_client_certificate(front: Nginx, certificates: Certificates) -> None:
    with Client(at(front, "mutual"), verify=certificates.ca) as client:
        with pytest.raises(ServerError, match="400 No required SSL certificate was sent"):
            client.queue.info()
        with pytest.raises(ServerUnreachable, match="status 400"):
            client.connect()


def test_a_server_that_hangs_up_on_those_without_a_certificate(certificates: Certificates) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificates.server)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with Client(url, verify=certificates.ca, retry=None, realtime=False) as client:
            asked = pool.submit(client.queue.info)
            connection, _ = listener.accept()
            with connection:  # stays open until the client has read the alert
                with pytest.raises(ssl.SSLError, match="peer did not return a certificate"):
                    context.wrap_socket(connection.dup(), server_side=True)
                with pytest.raises(ServerUnreachable, match="it wants to see a client certificate; give one as cert="):
                    asked.result(PATIENCE)


# --- files that are of no use -------------------------------------------------------------------------------


@pytest.fixture
def useless(certificates: Certificates, tmp_path: Path) -> dict[str, Any]:
    """Files that cannot be used, by what is wrong with them."""
    text = tmp_path / "text.pem"
    text.write_text("not in PEM format")
    locked = tmp_path / "locked.pem"
    key = load_pem_private_key(certificates.key.read_bytes(), None)
    password = BestAvailableEncryption(b"s3cret")
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, password))
    return {
        "missing": tmp_path / "missing.pem",
        "text": text,
        "locked": (certificates.certificate, locked),
        "foreign key": (certificates.certificate, certificates.server),
        "no key": certificates.certificate,
        "missing key": (certificates.certificate, tmp_path / "missing.pem"),
    }


@pytest.mark.parametrize(
    ("option", "which", "says"),
    [
        ("verify", "missing", r"verify='.*missing.pem' cannot be read \(No such file .*\); name a file in PEM format$"),
        ("verify", "text", "'.*text.pem' holds no certificates in PEM format to verify the server's by"),
        ("cert", "missing", r"cert='.*missing.pem' cannot be read \(No such file or directory\); name a file in PEM"),
        ("cert", "missing key", r"cert='.*missing.pem' cannot be read"),
        ("cert", "text", "cert='.*text.pem' cannot be used: it takes a certificate and its key"),
        ("cert", "no key", "cert='.*certificate.pem' cannot be used: it takes a certificate and its key"),
        ("cert", "foreign key", "cannot be used: it takes a certificate and its key"),
        ("cert", "locked", "cannot be used: it takes a certificate and its key in PEM format, without a password"),
    ],
)
def test_a_file_that_is_of_no_use(useless: dict[str, Any], option: str, which: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        Client("https://comfy.test", **{option: useless[which]})

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["verify", "cert"])
def test_a_missing_file_is_found_out_without_tls_too(option: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{option}='.*missing.pem' cannot be read"):
        Client(config=ClientConfig.of("http://comfy.test", {option: tmp_path / "missing.pem"}))


def test_a_bundle_of_the_environment_that_is_of_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle")
    with pytest.raises(ValueError, match="REQUESTS_CA_BUNDLE='/no/such/bundle' cannot be read"):
        Client("https://comfy.test")
    Client("https://comfy.test", trust_env=False).close()
    Client("http://comfy.test").close()  # needs none


# --- ComfyUI's own ------------------------------------------------------------------------------------------


def test_a_comfyui_with_tls(tls_server: TlsServer, certificates: Certificates) -> None:
    with Client(tls_server.url, verify=certificates.ca) as client:
        use(client)
    with Client(tls_server.url.replace("127.0.0.1", "localhost"), verify=certificates.ca) as client:
        use(client)


def test_a_comfyui_with_tls_where_none_is_expected(tls_server: TlsServer) -> None:
    with Client(tls_server.url.replace("https:", "http:"), retry=None) as client:
        with pytest.raises(ServerUnreachable, match="write https:// instead of http://") as caught:
            client.queue.info()
        assert "\n" not in str(caught.value)
        with pytest.raises(ServerUnreachable):
            client.connect()


def test_a_comfyui_without_tls_where_it_is_expected(comfyui_url: str) -> None:
    with Client(comfyui_url.replace("http:", "https:"), retry=None) as client:
        for ask in (client.queue.info, client.connect):
            with pytest.raises(ServerUnreachable, match="write http:// instead of https://"):
                ask()


def test_a_run_outside_of_pytest_says_nothing(tls_server: TlsServer) -> None:
    """No flood of warnings with verify=False, not even with all of them on."""
    code = f"""
import sys
from comfyclient import Client
with Client({tls_server.url!r}, verify=False) as client:
    for _ in range(3):
        client.run({plain(fresh_color())!r})
"""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "InsecureRequestWarning" not in done.stderr
