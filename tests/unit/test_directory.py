from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.catalogue import DEMO_CATALOGUE, Catalogue, RoleGrants, load_catalogue
from bot.clients.directory import SlackDirectory
from pipelines.errors import Refused, Unavailable
from pipelines.people import Role

ROLES = RoleGrants(
    admin=("U0BOSS",),
    approver=("ana@shipyard.example", "@ml-leads"),
    engineer=("ben@shipyard.example", "S0ENGINEERS"),
)
USERS: dict[str, dict[str, Any]] = {
    "U0ANA": {"profile": {"real_name": "Ana Lima", "email": "Ana@Shipyard.example"}},
    "U0BEN": {"profile": {"real_name": "Ben Okafor", "email": "ben@shipyard.example"}},
    "U0VERA": {"profile": {"real_name": "Vera Novak", "email": "vera@shipyard.example"}},
    "U0LEAD": {"profile": {"real_name": "Lea Lead"}},
    "U0ENG": {"name": "eng"},
    "U0BOSS": {"profile": {"real_name": "", "display_name": "boss"}},
    "U0GONE": {"deleted": True, "profile": {"email": "ana@shipyard.example"}},
    "U0BOT": {"is_bot": True, "name": "robot"},
    "U0FAKE": {"team_id": "T0OTHER", "profile": {"real_name": "Ana Lima", "email": "ana@shipyard.example"}},
    "U0UNCONFIRMED": {"is_email_confirmed": False, "profile": {"email": "ana@shipyard.example"}},
    "U0GUEST": {"is_restricted": True, "name": "guest"},
}


def users_info(sent: dict[str, str]) -> Any:
    user = USERS.get(sent["user"])
    return {"user": {"id": sent["user"], "team_id": "T0OWN", **user}} if user else {"error": "user_not_found"}


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def catalogue() -> Catalogue:
    return replace(load_catalogue(DEMO_CATALOGUE, DEMO_CATALOGUE.parent), roles=ROLES)


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def directory(slack_wire: Any, catalogue: Catalogue, seconds: Seconds) -> SlackDirectory:
    slack_wire.answers = {
        "auth.test": {"team_id": "T0OWN"},
        "users.info": users_info,
        "usergroups.list": {"usergroups": [{"id": "S0LEADS", "handle": "ml-leads"}]},
        "usergroups.users.list": lambda sent: {
            "users": {"S0LEADS": ["U0LEAD"], "S0ENGINEERS": ["U0ENG", "U0LEAD"]}[sent["usergroup"]]
        },
    }
    client = WebClient(token="xoxb-test", base_url=slack_wire.api_url, retry_handlers=[])
    return SlackDirectory(client, catalogue, seconds)


@pytest.mark.parametrize(
    ("user", "name", "role"),
    [
        ("U0ANA", "Ana Lima", Role.APPROVER),
        ("U0BEN", "Ben Okafor", Role.ENGINEER),
        ("U0VERA", "Vera Novak", Role.VIEWER),
        ("U0LEAD", "Lea Lead", Role.APPROVER),
        ("U0ENG", "eng", Role.ENGINEER),
        ("U0BOSS", "boss", Role.ADMIN),
        ("U0NOBODY", "U0NOBODY", Role.VIEWER),
        ("U0FAKE", "Ana Lima", Role.VIEWER),
        ("U0UNCONFIRMED", "U0UNCONFIRMED", Role.VIEWER),
    ],
)
def test_each_person_has_the_highest_role_that_the_catalogue_gives(
    user: str, name: str, role: Role, directory: SlackDirectory
) -> None:
    person = directory.person(user)
    assert (person.id, person.name, person.role) == (user, name, role)


def test_guests_and_strangers_do_not_get_the_role_of_everyone(
    slack_wire: Any, catalogue: Catalogue, directory: SlackDirectory
) -> None:
    client = WebClient(token="xoxb-test", base_url=slack_wire.api_url)
    open_house = SlackDirectory(client, replace(catalogue, roles=replace(ROLES, everyone=Role.ENGINEER)))
    roles = [open_house.person(user).role for user in ("U0VERA", "U0GUEST", "U0FAKE", "U0NOBODY")]
    assert roles == [Role.ENGINEER, Role.VIEWER, Role.VIEWER, Role.VIEWER]


@pytest.mark.parametrize("user", ["U0GONE", "U0BOT"])
def test_bots_and_deactivated_accounts_hold_no_role(user: str, directory: SlackDirectory) -> None:
    with pytest.raises(Refused, match="holds no role"):
        directory.person(user)


def test_slack_is_asked_once_in_five_minutes(slack_wire: Any, directory: SlackDirectory, seconds: Seconds) -> None:
    directory.person("U0BEN")
    asked = len(slack_wire.calls)
    directory.person("U0BEN")
    assert len(slack_wire.calls) == asked
    seconds.now += 301
    directory.person("U0BEN")
    assert len(slack_wire.calls) > asked


@pytest.mark.parametrize("failure", [500, {"error": "ratelimited"}, {"error": "invalid_auth"}])
def test_while_slack_is_down_what_was_known_holds_for_an_hour(
    failure: Any, slack_wire: Any, directory: SlackDirectory, seconds: Seconds
) -> None:
    directory.person("U0LEAD")
    slack_wire.answers = dict.fromkeys(slack_wire.answers, failure)
    seconds.now += 3000
    assert directory.person("U0LEAD").role is Role.APPROVER
    seconds.now += 601
    with pytest.raises(Unavailable, match="Slack"):
        directory.person("U0LEAD")


def test_nobody_is_called_a_viewer_because_slack_did_not_answer(slack_wire: Any, directory: SlackDirectory) -> None:
    slack_wire.answers["users.info"] = 503
    with pytest.raises(Unavailable):
        directory.person("U0ANA")
    slack_wire.close()
    with pytest.raises(Unavailable):
        directory.person("U0ANA")


def test_a_user_group_that_cannot_be_read_leaves_the_others_their_roles(
    slack_wire: Any, directory: SlackDirectory
) -> None:
    slack_wire.answers["usergroups.list"] = {"error": "missing_scope"}
    slack_wire.answers["usergroups.users.list"] = {"error": "no_such_subteam"}
    assert directory.person("U0BEN").role is Role.ENGINEER
    assert directory.person("U0LEAD").role is Role.VIEWER


def test_holders_are_named_lowest_role_first_and_without_asking_slack(
    slack_wire: Any, directory: SlackDirectory
) -> None:
    assert directory.holders("approver") == ("Ana Lima", "@ml-leads", "<@U0BOSS>")
    assert directory.holders("engineer") == (
        "Ben Okafor",
        "<!subteam^S0ENGINEERS>",
        "Ana Lima",
        "@ml-leads",
        "<@U0BOSS>",
    )
    assert slack_wire.calls == []


def test_whom_the_catalogue_names_for_a_mention_is_found_by_handle_address_or_id(
    slack_wire: Any, directory: SlackDirectory
) -> None:
    slack_wire.answers |= {
        "users.lookupByEmail": lambda sent: (
            {"user": {"id": "U0BEN"}} if sent["email"] == "ben@shipyard.example" else {"error": "users_not_found"}
        )
    }
    named = ("@ml-leads", "ben@shipyard.example", "U0ANA", "S0ENGINEERS", "@nobody", "nobody@shipyard.example")
    assert [directory.mention_id(one) for one in named] == ["S0LEADS", "U0BEN", "U0ANA", "S0ENGINEERS", "", ""]


def test_while_slack_is_down_nobody_is_mentioned_and_nothing_waits_for_it(
    slack_wire: Any, directory: SlackDirectory
) -> None:
    slack_wire.answers |= {"usergroups.list": {"error": "internal_error"}}
    assert directory.mention_id("@ml-leads") == ""
