"""How the events of the model server's logger arrive, told from one process to the other."""

from dataclasses import dataclass

# Of this demo and no part of the protocol: where the model server tells it.
DELIVERIES_PATH = "/deliveries"


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Events that were taken, that wait to be sent again because of `problem`, that were refused, and that were
    dropped because too many waited."""

    taken: int = 0
    waiting: int = 0
    refused: int = 0
    dropped: int = 0
    problem: str = ""

    @property
    def in_words(self) -> str:
        """All that is wrong, or how many were taken."""
        wrong = []
        if self.problem:
            wrong.append(f"{self.waiting:,} wait ({self.problem})")
        if self.refused:
            wrong.append(f"{self.refused:,} refused")
        if self.dropped:
            wrong.append(f"{self.dropped:,} dropped")
        return ", ".join(wrong) or f"{self.taken:,} events taken"
