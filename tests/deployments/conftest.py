"""The parts that stand between a client and its server: certificates, nginx, a server with TLS."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
import trustme
from attrs import frozen
from PIL import Image

from comfyclient.events import Executed, Executing
from tests import programs
from tests.comfyui.provision import find
from tests.comfyui.server import RealServer
from tests.conftest import EXTERNAL_URL
from tests.deployments.nginx import Nginx
from tests.workflows import PATIENCE, filled, fresh_color, node, pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient import Client
    from tests.conftest import ComfyUI

TOKEN = "s3cret-token"  # noqa: S105 - known to the configuration below alone
PASSWORD = "s3cret/ö"  # noqa: S105
SECRETS = ("s3cret", "%2F%C3%B6")

LOCATIONS = f"""
    map $http_authorization $bearer {{ default 0; "Bearer {TOKEN}" 1; }}
    map $http_x_api_key     $header {{ default 0; "{TOKEN}" 1; }}
    map $arg_token          $query  {{ default 0; "{TOKEN}" 1; }}
    map $cookie_session     $cookie {{ default 0; "{TOKEN}" 1; }}
    upstream comfyui {{ server SERVER; keepalive 8; }}
    server {{
        listen 127.0.0.1:{{plain}};
        location /comfy/      {{ proxy_pass http://comfyui/; }}
        location /exact/ {{
            rewrite ^ $request_uri;
            rewrite ^/exact(/.*)$ $1 break;
            proxy_pass http://comfyui$uri;
        }}
        location /api/        {{ proxy_pass http://comfyui/api/; }}
        location /deep/api/   {{ proxy_pass http://comfyui/api/; }}
        location /basic/      {{ auth_basic ComfyUI; auth_basic_user_file htpasswd; proxy_pass http://comfyui/; }}
        location /bearer/     {{ if ($bearer = 0) {{ return 401; }} proxy_pass http://comfyui/; }}
        location /header/     {{ if ($header = 0) {{ return 401; }} proxy_pass http://comfyui/; }}
        location /query/      {{ if ($query = 0) {{ return 403; }} proxy_pass http://comfyui/; }}
        location /cookie/     {{ if ($cookie = 0) {{ return 401; }} proxy_pass http://comfyui/; }}
        location /small/      {{ client_max_body_size 1k; proxy_pass http://comfyui/; }}
        location /buffered/   {{ proxy_buffers 8 4k; proxy_busy_buffers_size 8k; proxy_pass http://comfyui/; }}
        location /unbuffered/ {{ proxy_buffering off; proxy_request_buffering off; proxy_pass http://comfyui/; }}
        location /deaf/       {{ location /deaf/ws {{ return 403; }} proxy_pass http://comfyui/; }}
        location /host/ {{
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Host 127.0.0.1:8188;
            proxy_pass http://comfyui/;
        }}
        location /secure/ {{ rewrite ^/secure(/.*)$ https://127.0.0.1:{{tls}}$1 permanent; }}
        location /moved/ {{ if ($query = 0) {{ return 403; }} rewrite ^/moved(/.*)$ /query$1 redirect; }}
    }}
    server {{
        listen 127.0.0.1:{{tls}} ssl;
        ssl_certificate server.pem; ssl_certificate_key server.pem;
        location / {{ proxy_pass http://comfyui; }}
    }}
    server {{
        listen 127.0.0.1:{{mutual}} ssl http2;
        ssl_certificate server.pem; ssl_certificate_key server.pem;
        ssl_client_certificate ca.pem; ssl_verify_client on;
        location / {{ proxy_pass http://comfyui; }}
    }}
    server {{
        listen 127.0.0.1:{{expired}} ssl;
        ssl_certificate expired.pem; ssl_certificate_key expired.pem;
        location / {{ proxy_pass http://comfyui; }}
    }}
    server {{
        listen 127.0.0.1:{{elsewhere}} ssl;
        ssl_certificate elsewhere.pem; ssl_certificate_key elsewhere.pem;
        location / {{ proxy_pass http://comfyui; }}
    }}
"""


@frozen
class Certificates:
    """Files in PEM format.

    Attributes:
        ca: The private authority that signed all others.
        server: Certificate and key for 127.0.0.1.
        client: The client's certificate and key in one file.
        certificate: The client's certificate alone.
        key: Its key alone.
    """

    directory: Path
    ca: Path
    server: Path
    client: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority of our own, and what it has signed."""
    directory = tmp_path_factory.mktemp("certificates")
    ca = trustme.CA()
    yesterday = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)
    names = ("127.0.0.1", "localhost", "comfy.test")
    issued = {
        "server": ca.issue_cert(*names),
        "expired": ca.issue_cert(*names, not_before=yesterday - dt.timedelta(days=1), not_after=yesterday),
        "elsewhere": ca.issue_cert("elsewhere.test"),
        "client": ca.issue_cert("me@comfy.test"),
    }
    ca.cert_pem.write_to_path(directory / "ca.pem")
    for name, leaf in issued.items():
        leaf.private_key_and_cert_chain_pem.write_to_path(directory / f"{name}.pem")
    issued["client"].cert_chain_pems[0].write_to_path(directory / "certificate.pem")
    issued["client"].private_key_pem.write_to_path(directory / "key.pem")
    paths = (directory / f"{name}.pem" for name in ("ca", "server", "client", "certificate", "key"))
    return Certificates(directory, *paths)


@pytest.fixture(scope="session")
def nginx_program() -> str:
    """Where nginx is; without it, its tests are skipped by name."""
    found = programs.find("nginx")
    return found or pytest.skip("needs nginx, which `make programs` installs where there are root and apt")


@pytest.fixture(scope="session")
def front(nginx_program: str, comfyui: ComfyUI, certificates: Certificates) -> Iterator[Nginx]:
    """An nginx before the session's server, with a location for each way to be difficult."""
    if not comfyui.url.startswith("http://"):
        pytest.skip("needs a ComfyUI without TLS of its own")
    (certificates.directory / "htpasswd").write_text(f"me:{{PLAIN}}{PASSWORD}\n", encoding="utf-8")
    servers = LOCATIONS.replace("SERVER", comfyui.url.removeprefix("http://"))
    names = ("plain", "tls", "mutual", "expired", "elsewhere")
    with Nginx(nginx_program, certificates.directory, servers, *names) as running:
        yield running


class TlsServer(RealServer):
    """A ComfyUI that speaks TLS by itself."""

    def __init__(self, certificates: Certificates, base_directory: Path, *arguments: str) -> None:
        installation = find()
        assert installation is not None, "run `make comfyui`"
        files = ("--tls-keyfile", str(certificates.server), "--tls-certfile", str(certificates.server))
        super().__init__(installation, *files, *arguments, base_directory=base_directory)
        self._ca = str(certificates.ca)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def _is_ours(self) -> bool:
        try:
            with requests.Session() as session:
                session.trust_env = False
                stats = session.get(f"{self.url}/system_stats", verify=self._ca, timeout=10).json()
        except (requests.RequestException, ValueError):
            return False
        return str(self.base_directory) in stats["system"]["argv"]


@pytest.fixture(scope="session")
def tls_server(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    """A ComfyUI with --tls-keyfile and --tls-certfile."""
    if EXTERNAL_URL:
        pytest.skip("needs a ComfyUI that the tests start themselves")
    with TlsServer(certificates, tmp_path_factory.mktemp("comfyui_tls")) as server:
        yield server


def use(client: Client, *, realtime: bool = True) -> None:
    """What every deployment has to let through: an upload, a run with its events, a download."""
    color = fresh_color()
    photo = io.BytesIO()
    Image.new("RGB", (16, 16), tuple(color.to_bytes(3, "big"))).save(photo, "PNG")
    uploaded = client.files.upload_image(photo.getvalue(), filename=f"{color}.png", subfolder="comfyclient tests")
    graph = {
        "1": node("LoadImage", image=uploaded.annotated),
        "2": node("SaveImage", images=["1", 0], filename_prefix="comfyclient_tests/deployed"),
    }
    if realtime:
        client.connect()
    events: list[Any] = []
    result = client.run(graph, timeout=PATIENCE, on_event=events.append)
    assert pixels(result.images[0]) == filled(color)
    told = {type(event) for event in events if event.prompt_id == result.prompt_id}
    assert {Executing, Executed} <= told if realtime else not told
