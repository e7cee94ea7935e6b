"""Keeps the port Directory: who a Slack user is, and which role the catalogue gives them."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from threading import Lock
from typing import Any, Generic, TypeVar
from urllib.error import URLError

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.catalogue import Catalogue
from pipelines.errors import Refused, Unavailable
from pipelines.people import Person, Role

log = structlog.get_logger("bot.clients.directory")

FRESH_SECONDS = 300.0
# While Slack is down, what we knew still holds; but not so long that a role taken away stays for a day.
STALE_SECONDS = 3600.0
REMEMBERED = 5_000
# Slack's answers that asking again does not change.
LASTING = frozenset(
    {"missing_scope", "no_such_subteam", "subteam_not_found", "invalid_arguments", "not_allowed_token_type"}
)
UNREACHABLE = (URLError, HTTPException, ConnectionError, TimeoutError, SlackClientError)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """What Slack says of a user. `own` is False for guests of other workspaces, whose e-mail proves nothing to us."""

    id: str
    name: str
    email: str
    own: bool
    guest: bool
    usable: bool
    zone: str = ""


class Memory(Generic[T]):
    """Answers of Slack, fresh for five minutes, and older ones while Slack does not answer."""

    def __init__(self, fetch: Callable[[str], T], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def get(self, key: str, fresh_seconds: float = FRESH_SECONDS) -> T:
        with self._lock:
            known = self._known.get(key)
        if known is not None and self._age(known) < fresh_seconds:
            return known[1]
        try:
            value = self._fetch(key)
        except Unavailable as outage:
            if known is None or self._age(known) > STALE_SECONDS:
                raise
            log.warning("using what was known before", asked=key, reason=outage.reason)
            return known[1]
        self._remember(key, value)
        return value

    def _age(self, known: tuple[float, T]) -> float:
        return self._clock() - known[0]

    def _remember(self, key: str, value: T) -> None:
        with self._lock:
            self._known[key] = (self._clock(), value)
            self._known.move_to_end(key)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)


class SlackDirectory:
    """Roles by user id, e-mail address and user group, as the catalogue says; everybody else is `everyone`."""

    def __init__(self, client: WebClient, catalogue: Catalogue, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._roles = catalogue.roles
        self._names = {person.slack: person.name for person in catalogue.people}
        self._accounts = Memory(self._fetch_account, clock)
        self._members = Memory(self._fetch_members, clock)
        self._groups = Memory(self._fetch_groups, clock)
        self._team = Memory(self._fetch_team, clock)
        self._by_email = Memory(self._fetch_by_email, clock)

    def person(self, user_id: str) -> Person:
        """Raises Refused for bots and deactivated accounts, Unavailable when Slack never answered about them."""
        account = self._accounts.get(user_id)
        if not account.usable:
            raise Refused(f"{account.name} is a bot or a deactivated account, and holds no role here.")
        return Person(account.id, account.name, self._role(account))

    def time_zone(self, person_id: str) -> str:
        """The zone of somebody's profile, as Slack names it; empty where it does not say."""
        return self._accounts.get(person_id).zone

    def mention_id(self, named: str) -> str:
        """The id of the user or user group that the catalogue names; empty where Slack shows none by that name."""
        try:
            if named.startswith("@"):
                return self._groups.get("").get(named.removeprefix("@"), "")
            return self._by_email.get(named) if "@" in named else named
        except Unavailable as outage:
            log.warning("nobody is mentioned", named=named, reason=outage.reason)
            return ""

    def holders(self, role_title: str) -> Sequence[str]:
        """From the catalogue alone, so that a refusal never waits for Slack."""
        wanted = Role[role_title.upper()]
        grants = [grant for role, named in reversed(self._roles.by_role()) if role >= wanted for grant in named]
        return tuple(dict.fromkeys(self._mention(grant) for grant in grants))

    def _mention(self, grant: str) -> str:
        if grant in self._names:
            return self._names[grant]
        if grant.startswith("@") or "@" in grant:
            return grant
        return f"<!subteam^{grant}>" if grant.startswith("S") else f"<@{grant}>"

    def _role(self, account: Account) -> Role:
        for role, grants in self._roles.by_role():
            if any(self._holds(account, grant) for grant in grants):
                return role
        return Role.VIEWER if account.guest or not account.own else self._roles.everyone

    def _holds(self, account: Account, grant: str) -> bool:
        if grant == account.id:
            return True
        if "@" in grant[1:]:
            return account.own and account.email == grant.lower()
        return grant[0] in "@S" and account.id in self._members.get(grant)

    def _fetch_account(self, user_id: str) -> Account:
        try:
            user = self._ask("users_info", user=user_id)["user"]
        except SlackApiError as error:
            if error.response["error"] not in ("user_not_found", "users_not_found", "user_not_visible"):
                raise _unavailable(error) from None
            return Account(user_id, user_id, "", own=False, guest=True, usable=True)
        return self._account(user)

    def _account(self, user: dict[str, Any]) -> Account:
        profile = user.get("profile") or {}
        names = (profile.get("real_name"), user.get("real_name"), profile.get("display_name"), user.get("name"))
        own_team = not user.get("team_id") or user["team_id"] == self._team.get("")
        confirmed = user.get("is_email_confirmed", True)
        return Account(
            id=user["id"],
            name=next((name for name in names if name), user["id"]),
            email=str(profile.get("email") or "").lower() if confirmed else "",
            own=own_team and not user.get("is_stranger"),
            guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
            usable=not (user.get("deleted") or user.get("is_bot") or user["id"] == "USLACKBOT"),
            zone=str(user.get("tz") or ""),
        )

    def _fetch_members(self, group: str) -> frozenset[str]:
        group_id = self._groups.get("").get(group.removeprefix("@"), "") if group.startswith("@") else group
        if not group_id:
            log.warning("no such user group", group=group)
            return frozenset()
        try:
            return frozenset(self._ask("usergroups_users_list", usergroup=group_id)["users"])
        except SlackApiError as error:
            if error.response["error"] not in LASTING:
                raise _unavailable(error) from None
            # `shipmate doctor` tells about it; everybody else must still be served.
            log.warning("user group cannot be read", group=group, error=error.response["error"])
            return frozenset()

    def _fetch_groups(self, _all: str) -> dict[str, str]:
        try:
            groups = self._ask("usergroups_list")["usergroups"]
        except SlackApiError as error:
            if error.response["error"] not in LASTING:
                raise _unavailable(error) from None
            log.warning("user groups cannot be listed", error=error.response["error"])
            return {}
        return {group["handle"]: group["id"] for group in groups}

    def _fetch_by_email(self, email: str) -> str:
        try:
            return str(self._ask("users_lookupByEmail", email=email)["user"]["id"])
        except SlackApiError as error:
            if error.response["error"] not in LASTING | {"users_not_found"}:
                raise _unavailable(error) from None
            log.warning("nobody has this address", email=email, error=error.response["error"])
            return ""

    def _fetch_team(self, _own: str) -> str:
        try:
            return str(self._ask("auth_test")["team_id"])
        except SlackApiError as error:
            raise _unavailable(error) from None

    def _ask(self, method: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, method)(**arguments)
        except SlackApiError:
            raise
        except UNREACHABLE as error:
            raise Unavailable("Slack", f"did not answer ({type(error).__name__})") from None


def _unavailable(error: SlackApiError) -> Unavailable:
    return Unavailable("Slack", f"could not say who this is: {error.response['error']}")
