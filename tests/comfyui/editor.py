"""ComfyUI's own editor, in a Chromium without a window: what it makes of a workflow is the last word.

Chromium and its driver come from the system (Debian: ``apt-get install chromium chromium-driver``).
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

PATIENCE = 90.0
"""Seconds for the editor to start, and for each answer; the machine may be busy."""

_PROGRAMS = (("chromium", "chromium-browser", "google-chrome"), ("chromedriver",))
_OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_IS_READY = """
const app = window.app, shell = app && app.extensionManager;
return Boolean(shell && app.vueAppReady && shell.spinner === false && shell.workflow && shell.workflow.activeWorkflow);
"""
_EXPORT = """
const [file, done] = arguments;
const quiet = {checkForRerouteMigration: false, showMissingNodesDialog: false, showMissingModelsDialog: false};
async function run() {
    await window.app.loadGraphData(JSON.parse(file), true, false, null, {...quiet, silentAssetErrors: true});
    const shown = window.app.graph.nodes.map((node) => [String(node.id), [...node.pos], [...node.size]]);
    return JSON.stringify({prompt: (await window.app.graphToPrompt()).output, shown});
}
run().then((answer) => done({answer}), (error) => done({error: String((error && error.stack) || error)}));
"""


class EditorError(Exception):
    """The editor could not open or export a workflow."""


class Editor:
    """The editor of a server.

    ::

        with Editor(url) as editor:
            prompt = editor.export(saved)
    """

    def __init__(self, url: str) -> None:
        """Prepare to open the editor at ``url``; ``with`` does."""
        self._url = url
        self._browser: webdriver.Chrome | None = None

    def __enter__(self) -> Self:
        """Start the browser, and wait until the editor is ready."""
        browser, driver = (_found(names) for names in _PROGRAMS)
        options = webdriver.ChromeOptions()
        options.binary_location = browser or ""
        for option in _OPTIONS:
            options.add_argument(option)
        self._browser = webdriver.Chrome(options=options, service=Service(driver))
        try:
            self._browser.set_script_timeout(PATIENCE)
            self._browser.set_page_load_timeout(PATIENCE)
            self._browser.get(self._url)
            WebDriverWait(self._browser, PATIENCE).until(lambda browser: browser.execute_script(_IS_READY))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the browser."""
        self.close()

    def close(self) -> None:
        """End the browser."""
        if self._browser is not None:
            self._browser.quit()
            self._browser = None

    def export(self, saved: Mapping[str, Any]) -> dict[str, Any]:
        """What "Export (API)" gives once this file is open.

        Raises:
            EditorError: It could not be opened.
        """
        return dict(self._ask(saved)["prompt"])

    def shown(self, saved: Mapping[str, Any]) -> dict[str, tuple[list[float], list[float]]]:
        """Where the outermost nodes stand once this file is open, and how large they are.

        Raises:
            EditorError: It could not be opened.
        """
        return {node_id: (place, size) for node_id, place, size in self._ask(saved)["shown"]}

    def _ask(self, saved: Mapping[str, Any]) -> Any:
        if self._browser is None:
            raise EditorError("the editor is not open")
        answer = self._browser.execute_async_script(_EXPORT, json.dumps(saved))
        if "error" in answer:
            raise EditorError(answer["error"])
        return json.loads(answer["answer"])


def missing() -> str | None:
    """Which program is not there that this needs; None if all are."""
    return next((names[0] for names in _PROGRAMS if _found(names) is None), None)


def _found(names: tuple[str, ...]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)
