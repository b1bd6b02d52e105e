"""What a client can be told, and what it refuses without giving secrets away."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError

from comfyclient.config import Backoff, ClientConfig, Reconnect, Retry, redact


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
        "http://me:pass@comfy:99999",
        "http://me:pass@comfy:0",
        "http://me:pass@comfy:port",
        "me:pass@comfy:99999",
        "http://me:p/ass@comfy",
        "http://me:pass@[::1",
        "http://me:pass@a b",
        "http://comfy/?token=pass",
        "http://comfy/#pass",
    ],
)
def test_what_is_no_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="is no URL of a ComfyUI server") as caught:
        ClientConfig(url=url)

    assert "pass" not in str(caught.value)
    assert "ass@" not in str(caught.value)


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


def test_a_given_header_wins_over_the_address() -> None:
    config = ClientConfig(url="http://me:pass@comfy", headers={"Authorization": "Bearer token"})

    assert config.request_headers == {"Authorization": "Bearer token"}


def test_a_configuration_shows_no_secrets() -> None:
    config = ClientConfig(url="http://me:pass@comfy", headers={"X-Key": "hidden"})

    for text in (repr(config), str(config)):
        assert "pass" not in text
        assert "hidden" not in text
        assert "http://comfy" in text
        assert "X-Key" in text


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


@pytest.mark.parametrize("options", [{"retry": 3}, {"reconnect": True}, {"client_id": 5}])
def test_a_wrong_kind_of_value_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        ClientConfig.of(None, options)


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
