"""A ComfyUI with the options that change how clients are answered, and what its restart does to them."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from comfyclient import AuthenticationError, Client, JobLost, Reconnect, Retry, ServerError, ServerUnreachable
from comfyclient.events import Disconnected, Reconnected
from tests.comfyui.provision import find
from tests.comfyui.server import RealServer
from tests.conftest import EXTERNAL_URL, soon
from tests.deployments.conftest import use
from tests.deployments.nginx import Nginx
from tests.relay import Relay
from tests.workflows import PATIENCE, Gate, drop, fresh_color, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = (
    "--multi-user",
    "--enable-cors-header",
    "--enable-compress-response-body",
    *("--max-upload-size", "1"),
    "--enable-assets",
)
BEHIND_NGINX = "server { listen 127.0.0.1:{plain}; location / { proxy_pass http://SERVER; } }"
PERSISTENT = Retry(attempts=1000, first=0.1, longest=0.3)
QUICK = Reconnect(first=0.05, longest=0.3)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """One server for all of them: each starts ten seconds long."""
    if EXTERNAL_URL:
        pytest.skip("needs a ComfyUI that the tests start themselves")
    installation = find()
    assert installation is not None, "run `make comfyui`"
    with RealServer(installation, *OPTIONS, base_directory=tmp_path_factory.mktemp("comfyui_options")) as running:
        yield running


def test_all_of_them(server: RealServer) -> None:
    with Client(server.url) as client:
        use(client)


def test_cors(server: RealServer) -> None:
    with Client(server.url, headers={"Origin": "https://elsewhere.test"}) as client:
        use(client)
        assert client.request("GET", "/prompt").headers["Access-Control-Allow-Origin"] == "*"


def test_compressed_answers(server: RealServer) -> None:
    with Client(server.url) as client:
        response = client.request("GET", "/object_info")
        assert response.headers["Content-Encoding"] in {"deflate", "gzip"}
        assert "LoadImage" in response.json()
        assert client.nodes.get("LoadImage") is not None


def test_a_limit_for_uploads(server: RealServer) -> None:
    with Client(server.url) as client:
        use(client)
        for content in (bytes(2_000_000), bytes(20_000_000)):  # more than fits into the buffers between us
            with pytest.raises(ServerError, match=r"answered 413: Maximum request body size 1048576.* exceeded"):
                client.files.upload_image(content, filename="large.bin")
        large = plain(fresh_color())
        large["3"] = {"class_type": "PreviewAny", "inputs": {"source": "x" * 2_000_000}}
        with pytest.raises(ServerError, match="answered 413"):
            client.submit(large)
        assert client.queue.info().exec_info.queue_remaining == 0
        use(client)


def new_user(server: RealServer) -> str:
    """The id of a user that nobody else is."""
    with Client(server.url) as client:
        user: str = client.request("POST", "/users", json={"username": f"user {fresh_color()}"}).json()
        return user


def test_users(server: RealServer) -> None:
    with Client(server.url, user=new_user(server)) as one, Client(server.url, user=new_user(server)) as other:
        use(one)
        one.request("POST", "/settings", json={"Comfy.Test": 1})
        one.request("POST", "/userdata/note.txt", data=b"mine")
        assert one.request("GET", "/settings").json() == {"Comfy.Test": 1}
        assert one.request("GET", "/userdata/note.txt").content == b"mine"
        assert other.request("GET", "/settings").json() == {}


@pytest.mark.parametrize("user", [None, "somebody"])
def test_nobody_in_particular(server: RealServer, user: str | None) -> None:
    with Client(server.url, user=user) as client:
        use(client)  # which is for everybody
        for ask in (client.settings.all, client.userdata.tree):
            with pytest.raises(AuthenticationError, match=r"40[13]: the server was started with --multi-user and does"):
                ask()
        for more in (client.userdata.list, client.assets.list, lambda: client.assets.read(str(uuid.UUID(int=0)))):
            with pytest.raises(ServerError, match=r"500: .*perhaps the server was started with --multi-user and does"):
                more()


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_assets(server: RealServer, prefix: str) -> None:
    with Client(server.url + prefix, user=new_user(server)) as client:
        use(client)
        assert "assets" in client.request("GET", "/api/assets").json()


# --- a restart ----------------------------------------------------------------------------------------------


@pytest.fixture
def behind(nginx_program: str, server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an nginx before this server, which answers 502 while the server is away."""
    config = BEHIND_NGINX.replace("SERVER", server.url.removeprefix("http://"))
    with Nginx(nginx_program, tmp_path_factory.mktemp("nginx"), config, "plain") as running:
        yield f"http://127.0.0.1:{running.ports['plain']}"


def test_a_restart_behind_nginx(server: RealServer, behind: str) -> None:
    gate = Gate(server.url)
    with (
        Client(behind, retry=PERSISTENT, reconnect=QUICK) as client,
        Client(behind, retry=None) as impatient,
        ThreadPoolExecutor(1) as pool,
    ):
        use(client)
        job = client.submit(gate.workflow())
        gate.wait()
        with client.listen() as listener:
            server.kill()
            assert any(isinstance(event, Disconnected) for event in listener)
            with pytest.raises(ServerError, match="answered 502: 502 Bad Gateway"):
                impatient.queue.info()
            with pytest.raises(ServerUnreachable, match="status 502"):
                impatient.connect()
            info = pool.submit(client.queue.info)  # is tried again until there is an answer
            server.start()
            assert info.result(PATIENCE).exec_info.queue_remaining == 0
            assert any(isinstance(event, Reconnected) for event in listener)
        with pytest.raises(JobLost):  # ComfyUI keeps its queue in memory
            job.result(PATIENCE)
        use(client)


@pytest.mark.parametrize("realtime", [True, False], ids=["websocket", "polling"])
def test_a_job_survives_502s(
    server: RealServer, nginx_program: str, tmp_path_factory: pytest.TempPathFactory, *, realtime: bool
) -> None:
    gate = Gate(server.url)
    with Relay(server.url) as relay:
        config = BEHIND_NGINX.replace("SERVER", relay.url.removeprefix("http://"))
        with Nginx(nginx_program, tmp_path_factory.mktemp("nginx"), config, "plain") as front:
            url = f"http://127.0.0.1:{front.ports['plain']}"
            with Client(url, realtime=realtime, poll_interval=0.2, reconnect=QUICK) as client:
                job = client.submit(gate.workflow("it lives"))
                gate.wait()
                relay.admits_requests = relay.admits_websockets = False
                if realtime:
                    drop(server.url, client.config.client_id)
                before = relay.refused
                assert soon(lambda: relay.refused > before + 3)
                gate.open()
                assert not job.done()
                relay.admits_requests = relay.admits_websockets = True
                assert job.result(PATIENCE)["2"].texts == ("it lives",)
