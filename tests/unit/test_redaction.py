"""Secrets go, look-alikes stay. Secrets are put together here at run time, so that the file holds none."""

import io
import json
import logging
from random import Random

import pytest
import structlog

from bot.redaction import Redactor, find_secrets
from bot.telemetry import configure_logs

UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = UPPER.lower()
DIGITS = "0123456789"
ALNUM = UPPER + LOWER + DIGITS
HEX = "0123456789abcdef"
MIX = Random(20261123)


def text_of(alphabet: str, length: int) -> str:
    """Random text that holds at least one letter of each case and a digit where the alphabet has them."""
    kinds = [kind for kind in (UPPER, LOWER, DIGITS) if set(kind) & set(alphabet)]
    must = [MIX.choice(sorted(set(kind) & set(alphabet))) for kind in kinds]
    letters = must + [MIX.choice(alphabet) for _ in range(length - len(must))]
    MIX.shuffle(letters)
    return "".join(letters)


def pem(kind: str = "RSA ", lines: int = 6) -> str:
    dashes = "-" * 5
    body = "\n".join(text_of(ALNUM + "+/", 64) for _ in range(lines))
    return f"{dashes}BEGIN {kind}PRIVATE KEY{dashes}\n{body}\n{dashes}END {kind}PRIVATE KEY{dashes}"


def jwt() -> str:
    return "ey" + "J" + text_of(ALNUM, 30) + ".ey" + "J" + text_of(ALNUM, 60) + "." + text_of(ALNUM, 43)


WORD = text_of(ALNUM, 20)
KEY40 = text_of(ALNUM, 40)

# what kind -> (text with {} for the secret, the secret)
SECRETS: list[tuple[str, str, str]] = [
    ("aws-key", "using {} now", "AK" + "IA" + text_of(UPPER + DIGITS, 16)),
    ("aws-key", '"AccessKeyId": "{}"', "AS" + "IA" + text_of(UPPER + DIGITS, 16)),
    ("named-secret", "aws_secret_access_key = {}", text_of(ALNUM + "/+", 40)),
    ("named-secret", '"SecretAccessKey": "{}",', text_of(ALNUM + "/+", 40)),
    ("named-secret", "AWS_SESSION_TOKEN={}", text_of(ALNUM + "/+", 200)),
    ("gcp-key", "https://maps.example/x?q=1&k={}", "AI" + "za" + text_of(ALNUM + "_-", 35)),
    ("gcp-token", "got {} from metadata", "ya" + "29." + text_of(ALNUM, 60)),
    ("gcp-oauth-secret", "client {}", "GOC" + "SPX-" + text_of(ALNUM, 28)),
    ("gcp-refresh-token", "refresh {}", "1/" + "/0" + text_of(ALNUM, 50)),
    ("slack-token", "token is {}", "xo" + "xb-" + "1234567890-1234567890-" + text_of(ALNUM, 24)),
    ("slack-token", "{}", "xo" + "xp-" + "1234567890-" + text_of(ALNUM, 24)),
    ("slack-token", "app {}", "xa" + "pp-1-A0123-4567-" + text_of(HEX, 64)),
    ("slack-token", "{}", "xo" + "xe.xo" + "xb-1-" + text_of(ALNUM, 60)),
    ("slack-webhook", "POST https://hooks." + "slack.com/services/{}", "T0123/B0456/" + text_of(ALNUM, 24)),
    ("github-token", "git clone with {}", "gh" + "p_" + text_of(ALNUM, 36)),
    ("github-token", "{}", "gh" + "s_" + text_of(ALNUM, 36)),
    ("github-token", "{}", "github" + "_pat_" + text_of(ALNUM, 22) + "_" + text_of(ALNUM, 59)),
    ("gitlab-token", "PRIVATE {}", "gl" + "pat-" + text_of(ALNUM, 20)),
    ("gitlab-token", "runner {}", "gl" + "rt-" + text_of(ALNUM, 20)),
    ("openai-key", "{}", "s" + "k-" + text_of(ALNUM, 48)),
    ("openai-key", "{}", "s" + "k-proj-" + text_of(ALNUM + "_-", 60)),
    ("anthropic-key", "{}", "s" + "k-ant-api03-" + text_of(ALNUM + "_-", 80)),
    ("huggingface-token", "{}", "h" + "f_" + text_of(UPPER + LOWER, 34)),
    ("npm-token", "//packages.example/:_x={}", "np" + "m_" + text_of(ALNUM, 36)),
    ("pypi-token", "{}", "py" + "pi-AgEIcHlwaS5vcmc" + text_of(ALNUM, 80)),
    ("stripe-key", "{}", "s" + "k_live_" + text_of(ALNUM, 24)),
    ("stripe-key", "{}", "r" + "k_test_" + text_of(ALNUM, 24)),
    ("stripe-webhook-secret", "{}", "wh" + "sec_" + text_of(ALNUM, 32)),
    ("jwt", "session {}", jwt()),
    ("jwt", "kubernetes said {} is expired", jwt()),
    ("digitalocean-token", "{}", "do" + "p_v1_" + text_of(HEX, 64)),
    ("databricks-token", "{}", "da" + "pi" + text_of(HEX, 32)),
    ("vault-token", "{}", "hv" + "s." + text_of(ALNUM, 24)),
    ("grafana-token", "{}", "gl" + "sa_" + text_of(ALNUM, 32) + "_" + text_of(HEX, 8)),
    ("docker-token", "{}", "dckr" + "_pat_" + text_of(ALNUM, 27)),
    ("terraform-token", "{}", text_of(ALNUM, 14) + ".atlas" + "v1." + text_of(ALNUM, 60)),
    ("sendgrid-key", "{}", "S" + "G." + text_of(ALNUM, 22) + "." + text_of(ALNUM, 43)),
    ("mailchimp-key", "{}", text_of(HEX, 32) + "-us" + "12"),
    ("telegram-token", "bot {}", "123456789" + ":AA" + text_of(ALNUM, 33)),
    ("twilio-key", "{}", "S" + "K" + text_of(HEX, 32)),
    ("square-token", "{}", "sq0" + "csp-" + text_of(ALNUM, 43)),
    ("discord-token", "{}", "M" + text_of(ALNUM, 23) + "." + text_of(ALNUM, 6) + "." + text_of(ALNUM, 27)),
    ("age-key", "{}", "AGE-SECRET" + "-KEY-1" + text_of(UPPER + DIGITS, 58)),
    ("groq-key", "{}", "gs" + "k_" + text_of(ALNUM, 52)),
    ("replicate-token", "{}", "r" + "8_" + text_of(ALNUM, 37)),
    ("url-password", "postgresql://shipmate:{}@db.example:5432/app", WORD),
    ("url-password", "redis://:{}@cache:6379/0", "p" + "w"),
    ("url-password", "amqp://agent:{}@broker//", "gu" + "est"),
    ("url-password", "mongodb+srv://me:{}@cluster.example/x", "a%40b" + WORD),
    ("url-password", "https://ci:{}@git.example/team/model.git", "p@ss" + WORD),
    ("authorization", "Authorization: Bearer {}", text_of(ALNUM, 30)),
    ("authorization", "curl -H 'Authorization: Basic {}'", text_of(ALNUM, 24) + "=="),
    ("authorization", '{{"authorization": "token {}"}}', text_of(ALNUM, 24)),
    ("bearer-token", "sent Bearer {} to api", text_of(ALNUM, 30)),
    ("basic-auth", "Proxy says Basic {}", text_of(ALNUM, 21) + "9=="),
    ("cookie", "Set-Cookie: {}", "session=" + WORD + "; Path=/"),
    ("signed-url", "GET /b/k?X-Amz-Date=1&X-Amz-Signature={}&x=1", text_of(HEX, 64)),
    ("signed-url", "https://a.blob.example/c?sv=2024&sig={}", text_of(ALNUM, 43) + "%3D"),
    ("netrc-password", "machine git.example login me password {}", "hunter" + "2"),
    ("docker-auth", '{{"auths": {{"x": {{"auth": "{}"}}}}}}', text_of(ALNUM, 24) + "=="),
    ("curl-password", "curl -s -u admin:{} https://x.example", "hunter" + "2"),
    ("password", "password={}", "hunter" + "2"),
    ("password", "DB_PASSWORD: {}", "correct-horse-" + "battery"),
    ("password", '"password": "{}"', "with space " + "inside"),
    ("password", "{{\\\"password\\\": \\\"{}\\\"}}", "in-" + "escaped-json"),
    ("password", "Server=db;Password={};Database=x", WORD),
    ("password", "PGPASSWORD='{}' psql", "open-" + "sesame"),
    ("password", "mysql --password {} -h db", "hunter" + "22"),
    ("password", "connect(host='db', passwd='{}')", "abc" + "123"),
    ("named-secret", "client_secret: {}", WORD),
    ("named-secret", "MY_SERVICE_TOKEN={}", WORD),
    ("named-secret", "export OPENAI_API_KEY='{}'", WORD),
    ("named-secret", "apiKey = \"{}\"", WORD),
    ("named-secret", "//packages.example/:_authToken={}", "1234-" + WORD),
    ("named-secret", "_auth={}", text_of(ALNUM, 32) + "="),
    ("named-secret", "    token: {}", WORD),
    ("named-secret", "BLOB_SAS={}", WORD),
    ("named-secret", "    client-key-data: {}", "LS0tLS1" + text_of(ALNUM, 80)),
    ("named-secret", "tool --api-key {} run", WORD),
    ("named-secret", "DefaultEndpointsProtocol=https;AccountKey={};EndpointSuffix=x", text_of(ALNUM, 86) + "=="),
    ("random-text", "nonce: {}", text_of(ALNUM, 48)),
    ("private-key", "{}", pem()),
    ("private-key", "key is\n{}\nthanks", pem("OPENSSH ")),
    ("private-key", '{{"private_key": "{}"}}', pem("").replace("\n", "\\n")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "around", "secret"), SECRETS, ids=[f"{n}-{s[0]}" for n, s in enumerate(SECRETS)])
def test_a_secret_leaves_a_placeholder(kind: str, around: str, secret: str) -> None:
    redacted = Redactor().redact(around.format(secret))
    assert secret not in redacted.text
    assert not any(part in redacted.text for part in secret.split() if len(part) > 12)
    assert kind in {finding.kind for finding in redacted.found} or "‹secret:" in redacted.text
    assert redacted.found[0].placeholder in redacted.text


def test_the_table_is_long_enough() -> None:
    assert len(SECRETS) >= 60
    assert len(HARMLESS) >= 40


HARMLESS = [
    "commit 92f30e2c0c5f0f3b7f8b9d1c2a3e4f5061728394 by Ana",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "image registry.example/shipmate@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "run_id=4c1d7f0e8a5b4f6e9d3c2b1a09f8e7d6",
    "id: 550e8400-e29b-41d4-a716-446655440000",
    "churn-20261123-101010-ab12",
    "md5 d41d8cd98f00b204e9800998ecf8427e",
    "integrity sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
    "etag: \"33a64df551425fcc55e4d42a148795d9f25f89d4\"",
    "pod shipmate-trainer-7d9c6bd5f4-x2x9z was OOMKilled",
    "token_count=512 max_tokens: 2000 tokens=17",
    "Unexpected token: ] in JSON at position 12",
    "secretName: shipmate-slack",
    "secretKeyRef: {name: db-credentials, key: url}",
    "password: required",
    "password=None",
    "PASSWORD=$DB_PASSWORD",
    "token: ${{ secrets.GITHUB_TOKEN }}",
    "api_key = os.environ['API_KEY']",
    "password: <your password>",
    "usage: shipmate --token TOKEN",
    "password policy is strict",
    "Bearer authentication is required here",
    "Basic authentication is disabled",
    "https://example.org:8443/path?x=1@2",
    "see https://docs.example.org/a/b#c:d",
    "postgresql://db.example:5432/app",
    "sqlite:////var/lib/shipmate/shipmate.sqlite",
    "s3://models/churn/model-20261123_030000.pkl",
    "/usr/lib/python3.11/site-packages/sklearn/ensemble/_hist_gradient_boosting/gradient_boosting.py",
    "sklearn.ensemble.HistGradientBoostingClassifier(max_iter=200)",
    "primary_key: customer_id",
    "sort_key=signup_date",
    "key: tenure_months",
    "monkey=banana123",
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "task-scheduler-in-cluster-number-17-is-late",
    "risk-assessment-and-mitigation-2026-report-final",
    "ask_live_audience_about_the_new_feature",
    "npm_config_registry is set",
    "epoch 12: loss=0.4213 auc=0.8712 lr=1e-3",
    "10.0.0.1:5432 refused the connection",
    "2026-11-23T03:00:00.123456Z level=info msg=done",
    "user@example.org wrote: see <@U0123ABCD> in <#C0123ABCD|ml>",
    "https://hooks.example.com/services/x/y/z",
    "C0123ABCD4E 1700000000.123456 U0123ABCDEF",
    "The secret of success is patience",
    "xoxo, Vera",
    "Kansas: 12345678 Arkansas=87654321",
    "digest: 3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea",
    "model-20261123_030000.pkl metrics-20261123_030000.json",
    "feature importance: contract=0.21 tenure_months=0.17 (permutation)",
    "shapes (50000, 14) float64 monthly_charges",
    "password=‹secret:password:1›",
]  # fmt: skip


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert Redactor().redact(text).text == text


def test_the_same_secret_has_the_same_number_and_another_has_another() -> None:
    redactor = Redactor()
    first = redactor.redact("password=alpha111 then password=beta2222 then password=alpha111")
    again = redactor.redact("password=beta2222")
    assert (
        first.text == "password=‹secret:password:1› then password=‹secret:password:2› then password=‹secret:password:1›"
    )
    assert again.text == "password=‹secret:password:2›"


def test_redacting_twice_changes_nothing() -> None:
    redactor = Redactor()
    for _, around, secret in SECRETS:
        once = redactor.redact(around.format(secret)).text
        assert redactor.redact(once).text == once


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_private_key_that_was_cut_off_goes_whole(kept: float) -> None:
    key = pem(lines=20)
    head, tail = key[: int(len(key) * kept)], key[-int(len(key) * kept) :]
    assert Redactor().redact(f"before\n{head}").text == "before\n‹secret:private-key:1›"
    left = Redactor().redact(f"{tail}\nafter").text
    assert left.endswith("‹secret:private-key:1›\nafter") or kept == 0.2
    assert not any(line in left for line in key.splitlines()[2:-1])


def test_nested_values_are_redacted_with_their_keys() -> None:
    value = {
        "env": [{"name": "x", "value": "password=hunter22"}],
        "password": "short",
        "count": 3,
        "ok": True,
        "nothing": None,
        "pair": ("a", b"token=abcdefgh1234"),
        "ghp_" + "a1" * 18: 1,
    }
    redacted = Redactor().redact_value(value)
    assert redacted["env"][0]["value"] == "password=‹secret:password:1›"
    assert redacted["password"] == "‹secret:named-secret:1›"
    assert (redacted["count"], redacted["ok"], redacted["nothing"]) == (3, True, None)
    assert redacted["pair"] == ("a", "token=‹secret:named-secret:2›")
    assert "‹secret:github-token:1›" in redacted


def test_what_a_kubernetes_secret_holds_goes_whatever_it_looks_like() -> None:
    text = (
        "kind: ConfigMap\ndata:\n  mode: fast\n---\n"
        "kind: Secret\ndata:\n  a: YWJj\n  b: |\n    plain words\nmetadata:\n  name: x\n"
    )
    expected = text.replace("YWJj", "‹secret:kubernetes-secret:1›").replace(
        "plain words", "‹secret:kubernetes-secret:2›"
    )
    assert Redactor().redact(text).text == expected
    assert Redactor().redact(expected).text == expected
    value = {"kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "YWJj"}, "stringData": {"b": "open"}}
    redacted = Redactor().redact_value(value)
    assert redacted["metadata"] == {"name": "x"}
    assert redacted["data"]["a"].startswith("‹secret:")
    assert redacted["stringData"]["b"].startswith("‹secret:")


def test_a_containers_variable_goes_by_its_name() -> None:
    text = "env:\n- name: DB_PASSWORD\n  value: abc\n- name: MODE\n  value: fast\n"
    assert Redactor().redact(text).text == text.replace("abc", "‹secret:named-secret:1›")
    value = [{"name": "API_TOKEN", "value": "abc"}, {"name": "MODE", "value": "fast"}]
    assert Redactor().redact_value(value) == [
        {"name": "API_TOKEN", "value": "‹secret:named-secret:1›"},
        {"name": "MODE", "value": "fast"},
    ]


def test_values_without_an_end_do_not_hang_the_bot() -> None:
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    assert "nested too deeply" in str(Redactor().redact_value(deep))


@pytest.mark.parametrize(
    "hostile",
    ["-----BEGIN PRIVATE KEY-----" + "\n" * 1_000_000, "AAAA\n-----END PRIVATE KEY-----" * 40_000,
     "password=" * 110_000,
     "://a:" * 200_000, "curl -u " * 125_000, "eyJaaaaaaaaa." * 77_000, "bearer " + "a" * 1_000_000,
     "-" * 1_000_000 + "token",
     'token="' * 140_000, "Aa1" * 333_000, "machine a login " * 62_000, "\\n" * 500_000 + "PRIVATE KEY",
     "kind: Secret\ndata:\n" + " a: b\n" * 160_000, "name: a_token\n" * 70_000],
    ids=lambda text: text[:16].encode("unicode_escape").decode(),
)  # fmt: skip
def test_a_hostile_megabyte_is_read_to_its_end(hostile: str) -> None:
    spans = find_secrets(hostile)
    assert all(0 <= span.start < span.end <= len(hostile) for span in spans)


def test_a_million_different_secrets_do_not_fill_the_memory() -> None:
    redactor = Redactor()
    for number in range(10_050):
        redactor.redact(f"password=p{number}")
    assert len(redactor._placeholders) == 10_000


@pytest.fixture
def logged() -> "list[str]":
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logs("json", "INFO", Redactor(), stream)
    structlog.get_logger("ours").warning("connecting", url="redis://:hunter22@cache/0")
    logging.getLogger("theirs").error("cannot use %s", "password=hunter22")
    try:
        raise ValueError("api_key=abcdefgh12345678")
    except ValueError:
        structlog.get_logger("ours").exception("broke", reference="7f3a")
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    return stream.getvalue().splitlines()


def test_logs_of_ours_and_of_libraries_are_redacted(logged: "list[str]") -> None:
    assert "hunter22" not in "".join(logged)
    assert "abcdefgh12345678" not in "".join(logged)
    first, second, third = (json.loads(line) for line in logged)
    assert first["url"] == "redis://:‹secret:url-password:1›@cache/0"
    assert second["logger"] == "theirs"
    assert third["reference"] == "7f3a"
    assert "ValueError" in third["exception"]
