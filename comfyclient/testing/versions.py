"""The servers that an embedded one can behave like, and in what they differ."""

from __future__ import annotations

NAMES = ("2024-03", "0.3.64", "0.9.2", "0.30.0")
"""From the oldest to the newest; the first had no version number that it told."""


class Version:
    """One of those servers. Each property is a difference that a client can see.

    Args:
        name: One of ``NAMES``.

    Raises:
        ValueError: It is none.
    """

    def __init__(self, name: str) -> None:
        if name not in NAMES:
            raise ValueError(f"emulate={name!r} is none of {', '.join(NAMES)}")
        self.name = name
        self._rank = NAMES.index(name)

    def __repr__(self) -> str:
        return f"Version({self.name!r})"

    def since(self, name: str) -> bool:
        """Whether it is this one or newer."""
        return self._rank >= NAMES.index(name)

    # ── what is served ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def api_prefix(self) -> bool:
        """Every route exists below ``/api`` too; hardly any other of today's routes was there before."""
        return self.since("0.3.64")

    @property
    def jobs(self) -> bool:
        """``GET /api/jobs`` and subgraphs."""
        return self.since("0.9.2")

    @property
    def cancels(self) -> bool:
        """``POST /api/jobs/{id}/cancel``, node replacements, assets (or word that they are off)."""
        return self.since("0.30.0")

    @property
    def checks_origin(self) -> bool:
        """Pages of other origins are refused."""
        return self.since("0.3.64")

    @property
    def checks_fetch_site(self) -> bool:
        """So is what a browser calls cross-site."""
        return self.since("0.30.0")

    @property
    def reuses_uploads(self) -> bool:
        """An upload that is there already, byte for byte, keeps its name."""
        return self.since("0.3.64")

    # ── prompts ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def takes_prompt_id(self) -> bool:
        """A client may choose the id of its prompt."""
        return self.since("0.3.64")

    @property
    def wants_uuid(self) -> bool:
        """It must be a UUID; before, anything was taken as a string."""
        return self.since("0.30.0")

    @property
    def partial_targets(self) -> bool:
        """A prompt may be run for some of its outputs only."""
        return self.since("0.3.64")

    @property
    def targeted_interrupt(self) -> bool:
        """``POST /interrupt`` looks at the prompt's id."""
        return self.since("0.3.64")

    @property
    def create_time(self) -> bool:
        """Prompts are stamped when they come in."""
        return self.since("0.9.2")

    @property
    def secrets_in_queue(self) -> bool:
        """``GET /queue`` shows API keys."""
        return not self.since("0.9.2")

    @property
    def secrets_in_history(self) -> bool:
        """``GET /history`` does."""
        return not self.since("0.3.64")

    @property
    def unified_errors(self) -> bool:
        """Errors of ``POST /prompt`` are objects, and node errors never a list."""
        return self.since("0.3.64")

    @property
    def names_missing_nodes(self) -> bool:
        """An unknown class has its own type of error."""
        return self.since("0.30.0")

    @property
    def finds_cycles(self) -> bool:
        """Cycles have theirs; before, nothing was said about the nodes."""
        return self.since("0.30.0")

    @property
    def validates_optional(self) -> bool:
        """Optional inputs are validated too."""
        return self.since("0.3.64")

    @property
    def validates_combo(self) -> bool:
        """So are choices declared as ``COMBO``."""
        return self.since("0.9.2")

    @property
    def unwraps_values(self) -> bool:
        """``{"__value__": […]}`` is a list, and no link."""
        return self.since("0.3.64")

    # ── events and history ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def feature_flags(self) -> bool:
        """Clients and server tell each other what they can."""
        return self.since("0.3.64")

    @property
    def preview_metadata(self) -> bool:
        """Previews may say whose they are."""
        return self.since("0.3.64")

    @property
    def progress_state(self) -> bool:
        """The progress of all nodes is told with every change of one."""
        return self.since("0.3.64")

    @property
    def throttles(self) -> bool:
        """Not every step of a fast node is told."""
        return self.since("0.9.2")

    @property
    def success_event(self) -> bool:
        """There is ``execution_success``, and messages carry the time."""
        return self.since("0.3.64")

    @property
    def display_nodes(self) -> bool:
        """Nodes may expand: events name the node that is displayed, history has ``meta``."""
        return self.since("0.3.64")

    @property
    def repeats_executed(self) -> bool:
        """``executed`` comes for cached outputs too."""
        return self.since("0.3.64")

    @property
    def loses_cached_outputs(self) -> bool:
        """The bug of 0.9.2: without a client id, history has no outputs when one of them was cached."""
        return self.name == "0.9.2"
