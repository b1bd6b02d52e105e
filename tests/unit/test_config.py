"""What a client can be told, and what it refuses without giving secrets away."""

from __future__ import annotations

import pickle
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields
from attrs.exceptions import FrozenInstanceError
from requests.auth import HTTPDigestAuth

from comfyclient._addresses import redact
from comfyclient.config import Backoff, ClientConfig, Reconnect, Retry

SECRETS: dict[str, Any] = {
    "url": "http://comfy/?key=hidden1",
    "token": "hidden2",
    "headers": {"X-Key": "hidden3"},
    "cookies": {"session": "hidden4"},
    "params": {"sig": "hidden5"},
    "api_key_comfy_org": "hidden6",
    "auth_token_comfy_org": "hidden7",
    "proxy": "http://me:hidden8@proxy:3128",
}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COMFYUI_URL", "COMFYUI_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("given", "url", "shown"),
    [
        ("http://127.0.0.1:8188", "http://127.0.0.1:8188", None),
        ("  comfy:8188 ", "http://comfy:8188", None),
        ("comfy", "http://comfy", None),
        ("https://comfy/prefix/", "https://comfy/prefix", None),
        ("http://comfy///", "http://comfy", None),
        ("http://[::1]:8188", "http://[::1]:8188", None),
        ("https://me:pass@comfy:1/pre", "https://me:pass@comfy:1/pre", "https://comfy:1/pre"),
        ("me:pass@comfy", "http://me:pass@comfy", "http://comfy"),
        ("http://[fe80::1%eth0]:8188", "http://[fe80::1%eth0]:8188", None),
        ("http://comfy/api", "http://comfy/api", None),
        ("http://comfy/pre/api/", "http://comfy/pre/api", None),
        ("http://comfy?token=pass", "http://comfy?token=pass", "http://comfy"),
        ("comfy:1/pre/?token=pass&a=", "http://comfy:1/pre?token=pass&a=", "http://comfy:1/pre"),
    ],
)
def test_addresses(given: str, url: str, shown: str | None) -> None:
    config = ClientConfig(url=given)

    assert config.url == url
    assert config.shown_url == (shown or url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "ftp://me:pass@comfy",
        "8188",
        "http//comfy",
        "http:comfy",
        "http://me:pass@comfy:99999",
        "http://me:pass@comfy:0",
        "http://me:pass@comfy:port",
        "me:pass@comfy:99999",
        "http://me:p/ass@comfy",
        "http://me:pass@[::1",
        "http://me:pass@a b",
        "http://comfy/#pass",
        "ws://me:pass@comfy/",
    ],
)
def test_what_is_no_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="is no URL of a ComfyUI server") as caught:
        ClientConfig(url=url)

    assert "pass" not in str(caught.value)
    assert "ass@" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "  "])
def test_an_empty_address(url: str) -> None:
    with pytest.raises(
        ValueError, match=r"^'' is no URL of a ComfyUI server; write 'http://host:port', and a path prefix"
    ):
        ClientConfig(url=url)


@pytest.mark.parametrize("route", ["prompt", "queue", "history", "object_info", "system_stats", "ws", "prompt/"])
def test_the_address_of_a_route_is_not_that_of_the_server(route: str) -> None:
    says = f"'http://comfy/pre/{route}' is the URL of one route of a ComfyUI server; give the server's own, 'http://comfy/pre'"
    with pytest.raises(ValueError, match=f"^{says}$"):
        ClientConfig(url=f"http://me:pass@comfy/pre/{route}?token=pass")


@pytest.mark.parametrize(
    ("url", "hint"),
    [("ws://me:pass@comfy:1/ws?clientId=1", "http://comfy:1"), ("wss://comfy/pre/ws", "https://comfy/pre")],
)
def test_the_address_of_a_websocket_follows(url: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"write '{hint}', from which the websocket's address follows$"):
        ClientConfig(url=url)


def test_an_address_is_a_string() -> None:
    with pytest.raises(TypeError, match=r"the server's URL must be a string such as .*, not int"):
        ClientConfig(url=8188)  # type: ignore[arg-type]  # which is what is tested


def test_the_address_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_URL", "http://elsewhere:1/")

    assert ClientConfig().url == "http://elsewhere:1"
    assert ClientConfig.of(None, {}).url == "http://elsewhere:1"
    assert ClientConfig(url="http://comfy").url == "http://comfy"


def test_without_anything_it_is_the_servers_own_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMFYUI_URL", raising=False)

    assert ClientConfig().url == "http://127.0.0.1:8188"


def test_a_password_in_the_address_becomes_basic_auth() -> None:
    headers = ClientConfig(url="http://me:p%40ss@comfy").request_headers

    kind, value = headers["Authorization"].split()
    assert kind == "Basic"
    assert b64decode(value) == b"me:p@ss"


IDENTITIES: dict[str, tuple[dict[str, Any], str]] = {
    "the user in the URL": ({"url": "http://me:p%40ss@comfy"}, "Basic bWU6cEBzcw=="),
    "auth": ({"auth": ("me", "pässword")}, "Basic bWU6cMOkc3N3b3Jk"),
    "token": ({"token": "abc.DEF-1_2~3+4/="}, "Bearer abc.DEF-1_2~3+4/="),
    "the header Authorization": ({"headers": {"authorization": "Key abc"}}, "Key abc"),
}


@pytest.mark.parametrize("way", IDENTITIES)
def test_who_you_are(way: str) -> None:
    options, header = IDENTITIES[way]
    headers = ClientConfig(**options).request_headers

    assert {name.lower(): value for name, value in headers.items()} == {"authorization": header}


@pytest.mark.parametrize("one", IDENTITIES)
@pytest.mark.parametrize("other", IDENTITIES)
def test_two_ways_contradict_each_other(one: str, other: str) -> None:
    options = {**IDENTITIES[one][0], **IDENTITIES[other][0]}
    if one == other:
        ClientConfig(**options)
        return
    with pytest.raises(ValueError, match=r"contradict each other; give one of them$") as caught:
        ClientConfig(**options)
    assert one in str(caught.value)
    assert other in str(caught.value)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"cookies": {"a": "hidden"}, "headers": {"cookie": "hidden"}}, "cookies and the header Cookie contradict"),
        ({"user": "hidden", "headers": {"Comfy-User": "hidden"}}, "user and the header comfy-user contradict"),
        ({"url": "http://comfy?a=hidden", "params": {"a": "b"}}, "the URL and params give two values for 'a'"),
    ],
)
def test_other_things_that_are_said_twice(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        ClientConfig(**options)
    assert "hidden" not in str(caught.value)


def test_the_same_said_twice_is_said_once() -> None:
    config = ClientConfig(url="http://comfy?a=b&c=d", params={"a": "b", "e": "f"})

    assert config.request_params == {"a": "b", "c": "d", "e": "f"}


# --- the token of the environment ---------------------------------------------------------------------------


def test_the_token_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_TOKEN", "abc")

    assert ClientConfig().token == "abc"  # noqa: S105
    assert ClientConfig(token=None).token == "abc"  # noqa: S105
    assert ClientConfig(token="def").token == "def"  # noqa: S105, S106
    assert ClientConfig(trust_env=False).token is None
    assert evolve(ClientConfig(), read_timeout=1).token == "abc"  # noqa: S105


@pytest.mark.parametrize(
    ("home", "url", "is_sent"),
    [
        ("http://comfy:8188", "http://comfy:8188", True),
        ("comfy", "https://Comfy/pre", True),
        ("http://comfy", "http://elsewhere", False),
        ("http://comfy", "http://comfy.elsewhere", False),
        ("nonsense://comfy", "http://comfy", False),
    ],
)
def test_the_token_of_the_environment_is_for_the_server_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, home: str, url: str, *, is_sent: bool
) -> None:
    monkeypatch.setenv("COMFYUI_TOKEN", "abc")
    monkeypatch.setenv("COMFYUI_URL", home)
    assert ClientConfig(url=url).token == ("abc" if is_sent else None)


@pytest.mark.parametrize("way", [way for way in IDENTITIES if way != "token"])
def test_whatever_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setenv("COMFYUI_TOKEN", "abc")

    assert ClientConfig(**IDENTITIES[way][0]).token is None


def test_an_empty_token_of_the_environment_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_TOKEN", "")

    assert ClientConfig().token is None


def test_a_token_of_the_environment_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_TOKEN", "hidden\n")

    with pytest.raises(ValueError, match="COMFYUI_TOKEN cannot be used: token must be") as caught:
        ClientConfig()
    assert "hidden" not in str(caught.value)


def test_an_environment_that_is_not_to_be_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_URL", "http://elsewhere:1")

    assert ClientConfig(trust_env=False).url == "http://127.0.0.1:8188"


# --- what shows no secrets ----------------------------------------------------------------------------------


def test_nothing_secret_is_shown() -> None:
    config = ClientConfig(**SECRETS)
    other = ClientConfig(auth=("me", "hidden9"))

    for text in (repr(config), str(config), repr(other)):
        assert "hidden" not in text
    for shown in ("http://comfy", "http://proxy:3128", "'X-Key'", "'session'", "'sig'", "token='***'"):
        assert shown in repr(config)
    assert "token=None" in repr(other)


@pytest.mark.parametrize("value", ["", "Bearer hidden", "hidden\n", " hidden", "hiddén", 7, b"hidden"])
def test_a_token_is_one_word(value: Any) -> None:
    with pytest.raises(ValueError, match="token must be what follows after 'Bearer '") as caught:
        ClientConfig(token=value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("cookies", {"a": "hidden\n"}, "the value of the cookie 'a' must be one line"),
        ("cookies", {"a": "hidden; b=hidden"}, "the value of the cookie 'a' must not hold a semicolon"),
        ("cookies", {"a b": "hidden"}, "'a b' is not the name of a cookie"),
        ("params", {"a": 7}, "the parameter 'a' must be text"),
        ("params", {7: "hidden"}, "the parameter 7 must be text"),
        ("user", "hidden\r\n", "user must be one line"),
        ("api_key_comfy_org", b"hidden", "a key of a Comfy account must be text, not bytes"),
        ("auth_token_comfy_org", 7, "a key of a Comfy account must be text, not int"),
        ("auth", "hidden", r"auth must be \(user, password\), or an auth object of requests, not str"),
        ("auth", ("me", b"hidden"), r"auth must be \(user, password\), two strings"),
        ("auth", ("me", "hidden", "hidden"), r"auth must be \(user, password\), two strings"),
        ("auth", ("hid:den", "hidden"), "the user name of auth must not hold a colon"),
        ("verify", 1, "verify, if neither True nor False, must be the path of a file in PEM format, not 1"),
        ("verify", "", "must be the path"),
        ("cert", 1, "cert must be the path of a file in PEM format, not 1"),
        ("cert", ("a", "b", "c"), r"cert must be the path of a file, or two of them: \(certificate, key\)"),
        ("cert", ("a", None), "the key of cert must be the path"),
        ("proxy", "", "'' is no URL of a proxy; write 'http://host:port' or 'socks5h://host:port'"),
        ("proxy", "ftp://me:hidden@proxy", "'ftp://proxy' is no URL of a proxy"),
        ("proxy", "http://me:hid/den@proxy", "is no URL of a proxy"),
        ("proxy", "http://me:hidden@proxy:port", "is no URL of a proxy"),
        ("proxy", "http://proxy/path?hidden", "is no URL of a proxy"),
        ("proxy", 3128, "the proxy's URL must be a string such as 'http://proxy:3128', not int"),
        ("headers", "X-Key: hidden", "headers must be a mapping of names to values, such as .*, not str$"),
        ("headers", [("X-Key", "hidden")], "headers must be a mapping of names to values, such as .*, not list$"),
        ("cookies", "session=hidden", "cookies must be a mapping"),
        ("params", "token=hidden", "params must be a mapping"),
        ("trust_env", "yes", "^trust_env must be True or False, not 'yes'$"),
        ("realtime", "no", "^realtime must be True or False, not 'no'$"),
        ("retry", 3, r"^retry must be a Retry, such as Retry\(attempts=5\), or None for never, not 3$"),
        ("reconnect", False, r"^reconnect must be a Reconnect, such as .*, or None for never, not False$"),
        ("client_id", 5, "^client_id must be a string, not 5$"),
        ("client_id", "", "client_id"),
    ],
)
def test_what_is_refused(option: str, value: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says) as caught:
        ClientConfig.of(None, {option: value})
    assert "hid" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("proxy:3128", "http://proxy:3128"),
        (" http://me:pass@proxy:3128/ ", "http://me:pass@proxy:3128"),
        ("socks5h://[::1]", "socks5h://[::1]"),
        ("https://proxy", "https://proxy"),
    ],
)
def test_addresses_of_proxies(given: str, url: str) -> None:
    assert ClientConfig(proxy=given).proxy == url


def test_paths() -> None:
    config = ClientConfig(verify=Path("ca.pem"), cert=(Path("cert.pem"), "key.pem"))

    assert (config.verify, config.cert) == ("ca.pem", ("cert.pem", "key.pem"))
    assert ClientConfig(cert=Path("both.pem")).cert == "both.pem"
    assert ClientConfig(verify=False).verify is False


def test_who_you_are_to_a_server_with_users() -> None:
    assert ClientConfig(user="me_123").request_headers == {"comfy-user": "me_123"}


def test_the_keys_of_an_account() -> None:
    assert ClientConfig(api_key_comfy_org="a").account == {"api_key_comfy_org": "a"}
    assert ClientConfig(auth_token_comfy_org="b").account == {"auth_token_comfy_org": "b"}  # noqa: S106
    assert ClientConfig().account == {}


@pytest.mark.parametrize("option", [*SECRETS, "auth", "user in the URL"])
def test_secrets_are_not_pickled(option: str) -> None:
    more: dict[str, Any] = {"auth": {"auth": ("me", "hidden")}, "user in the URL": {"url": "http://hidden@comfy"}}
    config = ClientConfig(**more.get(option) or {option: SECRETS[option]})
    with pytest.raises(TypeError, match="this config holds secrets, which a pickle would show") as caught:
        pickle.dumps(config)
    assert "hidden" not in str(caught.value)


def test_a_configuration_without_secrets_can_be_pickled() -> None:
    config = ClientConfig(
        url="http://comfy/pre", user="me", retry=Retry(attempts=5), proxy="proxy:3128", verify="a.pem"
    )
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(config, protocol)) == config  # noqa: S301


def test_an_auth_object_is_kept() -> None:
    auth = HTTPDigestAuth("me", "hidden")
    config = ClientConfig(auth=auth)

    assert config.auth is auth
    assert config.request_headers == {}
    assert "hidden" not in repr(config)


def test_every_option_that_can_be_secret_is_hidden() -> None:
    shown = {field.name for field in fields(ClientConfig) if field.repr is True}

    assert not shown & {*SECRETS, "auth", "cookies"}


# --- other options ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["secret\n", " secret", "sec\r\nret", "secret\x00", "secret ✓", b"secret", 7, None])
def test_a_header_that_http_cannot_carry_is_refused_without_its_value(value: Any) -> None:
    with pytest.raises(ValueError, match="the value of the header 'X-Key' must be one line") as caught:
        ClientConfig(headers={"X-Key": value})

    assert "sec" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "two words", "with:colon", "ü"])
def test_a_name_that_is_no_headers_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of an HTTP header"):
        ClientConfig(headers={name: "value"})


def test_headers_are_copied() -> None:
    headers = {"X-Key": "a", "X-Note": "café"}
    config = ClientConfig(headers=headers)
    headers.clear()

    assert config.headers == {"X-Key": "a", "X-Note": "café"}


@pytest.mark.parametrize("option", ["connect_timeout", "read_timeout", "poll_interval", "give_up_after"])
@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), 1e12])
def test_every_wait_has_an_end(option: str, seconds: float) -> None:
    with pytest.raises(ValueError, match=f"{option} is a time in seconds"):
        ClientConfig.of(None, {option: seconds})


@pytest.mark.parametrize("value", ["5", None, True])
def test_a_wait_is_a_number(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^read_timeout is a time in seconds, a number, not "):
        ClientConfig(read_timeout=value)


def test_each_client_has_an_id_of_its_own() -> None:
    assert ClientConfig().client_id != ClientConfig().client_id


def test_an_unknown_option_is_named_beside_the_known_ones() -> None:
    with pytest.raises(TypeError, match=r"unknown option 'retries', 'timeout'; a client knows .*read_timeout.*retry"):
        ClientConfig.of("http://comfy", {"timeout": 3, "retries": 5, "realtime": False})


def test_options_arrive() -> None:
    config = ClientConfig.of("http://comfy", {"realtime": False, "retry": None, "reconnect": None})

    assert (config.url, config.realtime, config.retry, config.reconnect) == ("http://comfy", False, None, None)


def test_a_configuration_is_immutable() -> None:
    with pytest.raises(FrozenInstanceError):
        ClientConfig().read_timeout = 1  # type: ignore[misc]  # which is what is tested


@pytest.mark.parametrize("policy", [Backoff(first=0.1, longest=1), Retry(first=0.1, longest=1), Reconnect(first=0.1)])
def test_pauses_grow_up_to_the_longest(policy: Backoff) -> None:
    for attempt, full in enumerate([0.1, 0.2, 0.4, 0.8]):
        pauses = [policy.pause(attempt) for _ in range(50)]
        assert all(full / 2 <= pause <= full for pause in pauses)
        assert len(set(pauses)) > 1, "without jitter, clients come back all at once"
    assert policy.pause(10_000) <= policy.longest


def test_one_attempt_is_the_least() -> None:
    with pytest.raises(ValueError, match="attempts"):
        Retry(attempts=0)
    with pytest.raises(TypeError, match=r"^attempts must be a number, not '3'$"):
        Retry(attempts="3")  # type: ignore[arg-type]  # which is what is tested


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:pass@comfy/a?token=1#x", "http://comfy/a"),
        ("/login?token=1", "/login"),
        ("http://[", "the given URL"),
    ],
)
def test_redaction(url: str, shown: str) -> None:
    assert redact(url) == shown
