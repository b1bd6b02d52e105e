"""``client.settings`` on a real server."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient import Client
    from comfyclient.resources import Settings


@pytest.fixture
def settings(client: Client) -> Settings:
    return client.settings


@pytest.fixture
def setting(settings: Settings) -> Iterator[str]:
    """The id of a setting of this test alone; none can be removed."""
    setting_id = f"comfyclient.tests.{uuid.uuid4().hex}"
    yield setting_id
    settings.set(setting_id, None)


@pytest.mark.parametrize("value", [False, 0, "", "żółw", [1, None], {"a": {"b": []}}])
def test_a_setting_comes_back_as_it_went(settings: Settings, setting: str, value: Any) -> None:
    assert settings.get(setting) is None
    assert settings.get(setting, "default") == "default"
    assert setting not in settings.all()
    settings.set(setting, value)
    assert settings.get(setting, "default") == value
    assert settings.all()[setting] == value
    settings.set(setting, None)
    assert settings.get(setting, "default") == "default"
    assert settings.all()[setting] is None


def test_an_update_leaves_the_others_alone(settings: Settings, setting: str) -> None:
    settings.set(setting, "first")
    settings.update({f"{setting}.b": 1})
    settings.update({})
    assert settings.all().items() >= {(setting, "first"), (f"{setting}.b", 1)}
    settings.update({setting: "second", f"{setting}.b": None})
    assert (settings.get(setting), settings.get(f"{setting}.b")) == ("second", None)


def test_any_id_survives(settings: Settings, setting: str) -> None:
    odd = f"{setting} a/b %20 żółw?#"
    settings.set(odd, 1)
    assert settings.get(odd) == settings.all()[odd] == 1
    settings.set(odd, None)


def test_they_are_a_file_among_the_users_others(client: Client, setting: str) -> None:
    client.settings.set(setting, 1)
    assert setting.encode() in client.userdata.read("comfy.settings.json")
