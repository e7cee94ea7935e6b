"""Who and what is in a new workspace."""

from dataclasses import dataclass, field
from typing import Any

TEAM = {"id": "T0SHIPYARD", "name": "Shipyard", "domain": "shipyard", "url": "https://shipyard.slack.com/"}
BOT_USER, BOT_ID, APP_ID = "U0SHIPMATE", "B0SHIPMATE", "A0SHIPMATE"


@dataclass(frozen=True, slots=True)
class Member:
    id: str
    name: str
    real_name: str
    title: str
    email: str
    color: str = "4a154b"


@dataclass(frozen=True, slots=True)
class Room:
    id: str
    name: str
    topic: str
    bot_is_member: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    people: tuple[Member, ...] = (
        Member("U0ANA", "ana", "Ana Lima", "ML lead", "ana@shipyard.example", "2b6cb0"),
        Member("U0BEN", "ben", "Ben Okafor", "ML engineer", "ben@shipyard.example", "b7791f"),
        Member("U0VERA", "vera", "Vera Novak", "Product, viewer", "vera@shipyard.example", "2f855a"),
    )
    rooms: tuple[Room, ...] = (
        Room("C0GENERAL", "general", "Company-wide announcements and work-based matters", bot_is_member=False),
        Room("C0ML", "ml", "Models: retrains, drift, releases"),
        Room("C0INCIDENTS", "incidents", "What is on fire, and who holds the hose"),
        Room("C0CI", "ci", "Builds and tests"),
        Room("C0OPS", "ops", "Clusters, deployments, on-call"),
    )
    groups: tuple[Group, ...] = (
        Group("S0MLLEADS", "ml-leads", "ML leads", ("U0ANA",)),
        Group("S0MLENGINEERS", "ml-engineers", "ML engineers", ("U0ANA", "U0BEN")),
    )


@dataclass(frozen=True, slots=True)
class Secrets:
    bot_token: str = "xoxb-sandbox-000000000000-shipmate"
    app_token: str = "xapp-1-A0SHIPMATE-sandbox"
    signing_secret: str = "sandbox0signing0secret0000000000"


@dataclass(frozen=True, slots=True)
class InstalledApp:
    """What the workspace knows of the app, read from its manifest."""

    manifest: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.manifest.get("display_information", {}).get("name", "Shipmate"))

    @property
    def commands(self) -> list[dict[str, Any]]:
        return list(self.manifest.get("features", {}).get("slash_commands", []))

    @property
    def shortcuts(self) -> list[dict[str, Any]]:
        return list(self.manifest.get("features", {}).get("shortcuts", []))

    @property
    def events(self) -> frozenset[str]:
        settings = self.manifest.get("settings", {}).get("event_subscriptions", {})
        return frozenset(settings.get("bot_events", []))

    @property
    def scopes(self) -> frozenset[str]:
        """Empty when the manifest names none: then every scope counts as granted."""
        return frozenset(self.manifest.get("oauth_config", {}).get("scopes", {}).get("bot", []))

    @property
    def socket_mode(self) -> bool:
        return bool(self.manifest.get("settings", {}).get("socket_mode_enabled", True))

    @property
    def events_url(self) -> str:
        return str(self.manifest.get("settings", {}).get("event_subscriptions", {}).get("request_url", ""))

    @property
    def interactivity_url(self) -> str:
        return str(self.manifest.get("settings", {}).get("interactivity", {}).get("request_url", ""))
