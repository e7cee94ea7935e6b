"""What the model server is told when it starts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServingOrder:
    """What is served, where the registry is, and who is told. No `log_url`: nobody."""

    model: str
    tracking_uri: str
    log_url: str = ""
    token: str = ""
    log_every_seconds: float = 1.0
