"""What a benchmark asks of a policy, ours or a peer's."""

from typing import Protocol

from engine.data import Floats, Indices, Singles


class Chooser(Protocol):
    """Chooses for a batch and learns what became of it."""

    def choose(self, contexts: Singles, ids: Indices) -> tuple[Indices, Floats | None]:
        """Actions intp[n] for contexts float32[n, d], and the chance with which each was taken, where known."""

    def wait(self, contexts: Singles, actions: Indices) -> None:
        """These decisions were taken; their outcomes come later."""

    def learn(self, contexts: Singles, actions: Indices, rewards: Floats, chances: Floats | None) -> None:
        """The outcomes of decisions, each of which was announced by `wait` before."""
