"""Which models concern which channel."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.digest.values import Scope
from pipelines.errors import Refused
from pipelines.ports import Channels


@dataclass(frozen=True, slots=True)
class Audience:
    """`posting` maps a channel, as the catalogue writes it, to the models that post there: their own channel, or that
    of the team that owns them. A channel where none posts, and a direct message, hear of all models.
    """

    channels: Channels
    posting: Mapping[str, frozenset[str]]

    def scope(self, channel: str) -> Scope:
        """Raises Unavailable while Slack does not say which channel has which id."""
        here = {model for name, models in self.posting.items() if self._id(name) == channel for model in models}
        return Scope(channel, self.models - here if here else frozenset())

    @property
    def models(self) -> frozenset[str]:
        return frozenset().union(*self.posting.values())

    def _id(self, name: str) -> str:
        try:
            return self.channels.find(name)
        except Refused:
            # The catalogue names a channel that is gone: `shipmate doctor` tells; here nobody can be in it.
            return ""
