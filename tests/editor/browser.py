"""The editor in a headless Chromium."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.browser import Browser

if TYPE_CHECKING:
    from typing_extensions import Self

# While it spins, the editor still gets its nodes, and then opens a workflow of its own: it would take ours away.
_READY = """new Promise((ready) => {
    const look = () => (window.app?.extensionManager?.spinner === false ? ready(true) : setTimeout(look, 100));
    look();
})"""
# As JSON, as "Export (API)" writes it; but what that leaves out, since it is undefined, is null here.
_EXPORT = """(async (graph) => {
    await window.app.loadGraphData(graph, true, false, null, {
        checkForRerouteMigration: false,
        showMissingNodesDialog: false,
        showMissingModelsDialog: false,
        silentAssetErrors: true,
    });
    const prompt = (await window.app.graphToPrompt()).output;
    return JSON.stringify(prompt, (_, value) => (value === undefined ? null : value));
})"""


class Editor(Browser):
    """One page with the editor in it, in a browser of its own.

    Args:
        url: The server.
        chromium: The browser.
    """

    def __init__(self, url: str, chromium: str) -> None:
        super().__init__(chromium)
        self._url = url

    def __enter__(self) -> Self:
        """Start the browser, and wait until the editor is at rest."""
        super().__enter__()
        try:
            self.open(self._url, until="Page.domContentEventFired")
            self.evaluate(_READY)
        except BaseException:
            self.__exit__()
            raise
        return self

    def export(self, graph: Any) -> dict[str, Any]:
        """What "Export (API)" gives for a save file.

        Raises:
            BrowserError: The editor failed.
        """
        prompt: dict[str, Any] = json.loads(self.evaluate(f"{_EXPORT}({json.dumps(graph)})"))
        return prompt
