"""Checks of what the bot talks to: Slack, MLflow, and where training runs."""

from collections.abc import Iterable, Iterator
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.catalogue import Catalogue
from bot.config import Settings
from bot.doctor.findings import Finding, ok, problem, warning
from bot.doctor.ground import database_check
from bot.manifest import needed_scopes

ANSWER_SECONDS = 8
TOKEN_ADVICE = "Set SLACK_BOT_TOKEN to the Bot User OAuth Token: api.slack.com/apps, OAuth & Permissions."  # noqa: S105
# What a model run on Kubernetes needs: group, resource, verb.
KUBERNETES_NEEDS = (
    ("batch", "jobs", "create"),
    ("batch", "jobs", "get"),
    ("batch", "jobs", "delete"),
    ("", "pods", "list"),
    ("", "pods/log", "get"),
)


class SlackChecks:
    """Each check has a client of its own, because they run side by side."""

    def __init__(self, settings: Settings, catalogue: Catalogue | None) -> None:
        self._settings = settings
        self._catalogue = catalogue

    def _client(self) -> WebClient:
        token = self._settings.slack_bot_token
        secret = token.get_secret_value() if token else None
        return WebClient(token=secret, base_url=self._settings.slack_api_url, timeout=ANSWER_SECONDS)

    def bot_token(self) -> Iterator[Finding]:
        try:
            answer = self._client().auth_test()
        except (SlackApiError, SlackClientError, OSError) as error:
            yield _failed("slack token", error, TOKEN_ADVICE)
            return
        yield ok("slack token", f"{answer['user']} in {answer['team']}")
        yield from _judge_scopes(answer.headers)

    def app_token(self) -> Iterator[Finding]:
        token = self._settings.slack_app_token
        secret = token.get_secret_value() if token else None
        advice = "Set SLACK_APP_TOKEN to an app-level token with connections:write, and enable Socket Mode."
        try:
            WebClient(base_url=self._settings.slack_api_url, timeout=ANSWER_SECONDS).apps_connections_open(
                app_token=secret or ""
            )
        except (SlackApiError, SlackClientError, OSError) as error:
            yield _failed("slack socket", error, advice)
        else:
            yield ok("slack socket", "Slack lets us connect")

    def channels(self) -> Iterator[Finding]:
        wanted = [channel.name for channel in self._catalogue.channels] if self._catalogue else []
        try:
            known = {channel["name"]: channel for channel in self._all_channels()}
        except (SlackApiError, SlackClientError, OSError) as error:
            yield _failed("slack channels", error, "The bot needs channels:read and groups:read.")
            return
        by_id = {channel["id"]: channel for channel in known.values()}
        for name in wanted:
            yield _judge_channel(name, known.get(name.removeprefix("#")) or by_id.get(name))

    def _all_channels(self) -> Iterator[dict[str, Any]]:
        cursor = ""
        while True:
            page = self._client().conversations_list(
                types="public_channel,private_channel", limit=500, cursor=cursor or None
            )
            yield from page["channels"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def people(self) -> Iterator[Finding]:
        """Whether everybody whom the catalogue names has an account."""
        missing = []
        for person in self._catalogue.people if self._catalogue else ():
            try:
                if "@" in person.slack:
                    self._client().users_lookupByEmail(email=person.slack)
                else:
                    self._client().users_info(user=person.slack)
            except SlackApiError as error:
                missing.append(f"{person.name}: {error.response['error']}")
            except (SlackClientError, OSError) as error:
                yield _failed("slack people", error, "Is the address of Slack right?")
                return
        if missing:
            advice = "Check people.*.slack in the catalogue; e-mail addresses need users:read.email."
            yield warning("slack people", f"not found: {'; '.join(missing[:8])}", advice)
        else:
            yield ok("slack people", "everybody in the catalogue has an account")

    def user_groups(self) -> Iterator[Finding]:
        wanted = sorted({grant for grant in self._grants() if grant.startswith(("@", "S"))})
        if not wanted:
            return
        try:
            groups = self._client().usergroups_list()["usergroups"]
        except (SlackApiError, SlackClientError, OSError) as error:
            yield _failed("slack groups", error, "The bot needs usergroups:read.")
            return
        known = {f"@{group['handle']}" for group in groups} | {group["id"] for group in groups}
        for grant in wanted:
            if grant in known:
                yield ok("slack groups", f"{grant} can be read")
            else:
                yield problem("slack groups", f"there is no {grant}", "Check the names below roles in the catalogue.")

    def _grants(self) -> Iterable[str]:
        return [grant for _, grants in self._catalogue.roles.by_role() for grant in grants] if self._catalogue else []


def _judge_scopes(headers: Any) -> Iterator[Finding]:
    granted = next((value for name, value in dict(headers or {}).items() if name.lower() == "x-oauth-scopes"), None)
    if granted is None:
        yield warning("slack scopes", "Slack did not say which scopes we have", "Compare with `shipmate manifest`.")
        return
    missing = sorted(set(needed_scopes()) - {scope.strip() for scope in str(granted).split(",")})
    if missing:
        advice = "Add them under OAuth & Permissions (or paste `shipmate manifest`) and reinstall the app."
        yield problem("slack scopes", f"missing: {', '.join(missing)}", advice)
    else:
        yield ok("slack scopes", "all that are needed")


def _judge_channel(name: str, channel: dict[str, Any] | None) -> Finding:
    if channel is None:
        return problem(
            "slack channels", f"{name} does not exist, or is private", f"Make it, then /invite the bot to {name}."
        )
    if channel.get("is_archived"):
        return problem("slack channels", f"{name} is archived", "Name another channel in the catalogue.")
    if not channel.get("is_member"):
        return problem("slack channels", f"the bot is not in {name}", f"In {name} type: /invite @shipmate")
    return ok("slack channels", f"{name}: the bot is a member")


def _failed(check: str, error: Exception, advice: str) -> Finding:
    """Slack said no, and `advice` is what to do about that; or it said nothing at all."""
    if isinstance(error, SlackApiError):
        return problem(check, f"Slack says {error.response['error']}", advice)
    return problem(check, f"Slack did not answer: {error}"[:300], "Is SLACK_API_URL right, and may we go out?")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def mlflow_check(settings: Settings) -> Iterator[Finding]:
    uri = settings.mlflow_tracking_uri
    if not uri.startswith(("http://", "https://")):
        yield from database_check("mlflow", uri, "MLFLOW_TRACKING_URI")
        return
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        MlflowClient(tracking_uri=uri, registry_uri=uri).search_registered_models(max_results=1)
    except (MlflowException, OSError) as error:
        yield problem("mlflow", f"{uri}: {_first_line(error)}", "Check MLFLOW_TRACKING_URI.")
    else:
        yield ok("mlflow", f"{uri} answers")


def kubernetes_check(settings: Settings) -> Iterator[Finding]:
    """Asks the cluster itself what we may do there (SelfSubjectAccessReview)."""
    from kubernetes import client, config
    from kubernetes.client.exceptions import ApiException
    from kubernetes.config.config_exception import ConfigException
    from urllib3.exceptions import HTTPError

    if not settings.kubernetes_image:
        yield problem("kubernetes", "no training image", "Set SHIPMATE_KUBERNETES_IMAGE.")
    configure: Any = config  # its functions have no types
    reached = client.Configuration()
    try:
        try:
            configure.load_incluster_config(client_configuration=reached)
        except ConfigException:
            configure.load_kube_config(context=settings.kubernetes_context or None, client_configuration=reached)
        reached.retries = False
        api = client.ApiClient(reached)
        denied = [need for need in KUBERNETES_NEEDS if not _allowed(api, settings.kubernetes_namespace, need)]
    except (ConfigException, ApiException, HTTPError, OSError) as error:
        yield problem("kubernetes", f"{type(error).__name__}: {_first_line(error)}", "Check the kubeconfig.")
        return
    for _, resource, verb in denied:
        advice = "Apply manifests/kubernetes, which holds the role."
        yield problem("kubernetes", f"may not {verb} {resource} in {settings.kubernetes_namespace}", advice)
    if not denied:
        yield ok("kubernetes", f"may run jobs in {settings.kubernetes_namespace}")


def _allowed(api: Any, namespace: str, need: tuple[str, str, str]) -> bool:
    from kubernetes import client

    group, resource, verb = need
    resource, _, part = resource.partition("/")
    attributes = client.V1ResourceAttributes(
        namespace=namespace, group=group, resource=resource, subresource=part or None, verb=verb
    )
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
    answer = client.AuthorizationV1Api(api).create_self_subject_access_review(review, _request_timeout=ANSWER_SECONDS)
    return answer.status is not None and bool(answer.status.allowed)


def github_check(settings: Settings) -> Iterator[Finding]:
    from github import Auth, Github
    from github.GithubException import GithubException

    if not settings.github_repository or settings.github_token is None:
        yield problem("github", "no repository or token", "Set SHIPMATE_GITHUB_REPOSITORY and GITHUB_TOKEN.")
        return
    auth = Auth.Token(settings.github_token.get_secret_value())
    try:
        github = Github(base_url=settings.github_api_url, auth=auth, timeout=ANSWER_SECONDS, retry=None)
        workflow = github.get_repo(settings.github_repository).get_workflow(settings.github_workflow)
    except (GithubException, OSError) as error:
        text = f"{settings.github_repository}: {_first_line(error)}"
        yield problem("github", text, "The token needs Actions: read and write, on that repository.")
        return
    if workflow.state == "active":
        yield ok("github", f"{settings.github_workflow} in {settings.github_repository} is active")
    else:
        yield problem("github", f"{settings.github_workflow} is {workflow.state}", "Enable the workflow on GitHub.")
