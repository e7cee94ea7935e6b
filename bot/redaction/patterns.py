"""What secrets look like. Every pattern is linear: bounded repeats, no two repeats that can share a character.

`needles` are lower-case words of which one must occur before the pattern is tried at all; that is what makes a
megabyte of log cheap. The keys' shapes come from their makers' documentation and from detect-secrets.
"""

# ruff: noqa: E501 - a regular expression is read in one piece

import re
from dataclasses import dataclass
from functools import cache

from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector


@dataclass(frozen=True, slots=True)
class Pattern:
    """`group` is the part that is secret; 0 is all of it."""

    kind: str
    regex: re.Pattern[str]
    needles: tuple[str, ...]
    group: int = 0


EDGE = r"(?<![A-Za-z0-9_-])"
# What stands where a secret would: names of variables, templates, and words that say there is none.
HARMLESS = (
    r"(?!(?i:none|null|nil|true|false|yes|no|required|optional|missing|empty|invalid|incorrect|expired|wrong|unset"
    r"|string|str|bytes|redacted|hidden|masked|\*+|x+|\.\.\.|…)(?:[\s\"',;.)\]}]|$))(?![$<{%‹:]|os\.environ|getenv)"
)
VALUE = rf"(?:\\?\"{HARMLESS}([^\"\\\n‹]{{1,4000}})|'{HARMLESS}([^'\n‹]{{1,4000}})|{HARMLESS}([^\s\"'&;<>‹]{{1,4000}}))"
PASSWORDISH = r"passwords?|passwd|passphrase|passwort|pwd|pgpassword|redis_auth"
SECRETISH = (
    r"secret|secret[_-]?(?:access[_-]?)?key|token|auth[_-]?token|api[_-]?key|access[_-]?key|auth[_-]?key|account[_-]?key"
    r"|private[_-]?key|signing[_-]?key|encryption[_-]?key|shared[_-]?key|master[_-]?key|ssh[_-]?key|license[_-]?key"
    r"|client-key-data|credentials?|_auth|webhook[_-]?url|(?:^|[^a-z])sas"
)


def _pattern(kind: str, regex: str, *needles: str, group: int = 0) -> Pattern:
    return Pattern(kind, re.compile(regex), needles, group)


KEYS = (
    _pattern("aws-key", rf"{EDGE}(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{{16}}(?![0-9A-Za-z])", "akia", "asia", "abia", "acca"),
    _pattern("gcp-key", rf"{EDGE}AIza[0-9A-Za-z_-]{{35}}", "aiza"),
    _pattern("gcp-token", rf"{EDGE}ya29\.[0-9A-Za-z_-]{{20,2000}}", "ya29."),
    _pattern("gcp-oauth-secret", rf"{EDGE}GOCSPX-[0-9A-Za-z_-]{{20,60}}", "gocspx-"),
    _pattern("gcp-refresh-token", rf"{EDGE}1//0[0-9A-Za-z_-]{{30,300}}", "1//0"),
    _pattern("slack-token", rf"{EDGE}(?:xoxe\.)?xox[abceoprs]-[0-9A-Za-z-]{{10,400}}", "xox"),
    _pattern("slack-token", rf"{EDGE}xapp-\d-[0-9A-Za-z-]{{10,400}}", "xapp-"),
    _pattern("slack-webhook", r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([0-9A-Za-z_/-]{10,200})", "hooks.slack", group=1),
    _pattern("github-token", rf"{EDGE}gh[pousr]_[0-9A-Za-z]{{30,255}}", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _pattern("github-token", rf"{EDGE}github_pat_[0-9A-Za-z_]{{20,255}}", "github_pat_"),
    _pattern("gitlab-token", rf"{EDGE}gl(?:pat|dt|rt|ptt|ft|soat|cbt|imt|agent|oas|ffct)-[0-9A-Za-z_.-]{{20,300}}", "gl"),
    _pattern("anthropic-key", rf"{EDGE}sk-ant-[0-9A-Za-z_-]{{20,300}}", "sk-ant-"),
    _pattern("openai-key", rf"{EDGE}sk-(?:(?:proj|svcacct|admin|or-v1)-[0-9A-Za-z_-]{{20,300}}|[0-9A-Za-z]{{32,200}})", "sk-"),
    _pattern("huggingface-token", rf"{EDGE}(?:hf|api_org)_[0-9A-Za-z]{{30,60}}", "hf_", "api_org_"),
    _pattern("npm-token", rf"{EDGE}npm_[0-9A-Za-z]{{36,60}}", "npm_"),
    _pattern("pypi-token", rf"{EDGE}pypi-[0-9A-Za-z_-]{{40,400}}", "pypi-"),
    _pattern("stripe-key", rf"{EDGE}[srp]k_(?:live|test)_[0-9A-Za-z]{{16,250}}", "_live_", "_test_"),
    _pattern("stripe-webhook-secret", rf"{EDGE}whsec_[0-9A-Za-z+/=]{{24,120}}", "whsec_"),
    _pattern("jwt", rf"{EDGE}eyJ[0-9A-Za-z_-]{{8,4000}}\.[0-9A-Za-z_-]{{8,8000}}(?:\.[0-9A-Za-z_-]{{0,4000}})?", "eyj"),
    _pattern("digitalocean-token", rf"{EDGE}do[opr]_v1_[0-9a-f]{{64}}", "_v1_"),
    _pattern("databricks-token", rf"{EDGE}dapi[0-9a-f]{{32}}(?:-\d)?", "dapi"),
    _pattern("vault-token", rf"{EDGE}hv[sbr]\.[0-9A-Za-z_-]{{20,300}}", "hvs.", "hvb.", "hvr."),
    _pattern("grafana-token", rf"{EDGE}gl(?:sa_[0-9A-Za-z]{{32}}_[0-9a-fA-F]{{8}}|c_[0-9A-Za-z+/=]{{32,400}})", "glsa_", "glc_"),
    _pattern("docker-token", rf"{EDGE}dckr_(?:pat|oat)_[0-9A-Za-z_-]{{20,100}}", "dckr_"),
    _pattern("terraform-token", rf"{EDGE}[0-9A-Za-z]{{14}}\.atlasv1\.[0-9A-Za-z_-]{{40,100}}", ".atlasv1."),
    _pattern("telegram-token", rf"{EDGE}\d{{8,10}}:AA[0-9A-Za-z_-]{{32,34}}(?![0-9A-Za-z_-])", ":aa"),
    _pattern("artifactory-token", rf"{EDGE}AKCp[0-9A-Za-z]{{60,80}}", "akcp"),
    _pattern("age-key", r"AGE-SECRET-KEY-1[0-9A-Z]{50,60}", "age-secret-key-"),
    _pattern("replicate-token", rf"{EDGE}r8_[0-9A-Za-z]{{30,60}}", "r8_"),
    _pattern("groq-key", rf"{EDGE}gsk_[0-9A-Za-z]{{40,80}}", "gsk_"),
    _pattern("pulumi-token", rf"{EDGE}pul-[0-9a-f]{{40}}", "pul-"),
    _pattern("linear-key", rf"{EDGE}lin_(?:api|oauth)_[0-9A-Za-z]{{32,64}}", "lin_"),
    _pattern("newrelic-key", rf"{EDGE}NRAK-[0-9A-Z]{{27}}", "nrak-"),
    _pattern("pagerduty-key", rf"{EDGE}pdus\+[0-9A-Za-z_+-]{{20,60}}", "pdus+"),
)  # fmt: skip

PLACES = (
    _pattern("url-password", r"://[^\s:/@\"'<>‹]{0,200}:(?!\*+@)(?![$<{%‹])([^\s/\"'<>‹]{1,200})@", "://", group=1),
    _pattern("authorization", r"(?i:authorization)[\"']?\s{0,3}[:=]\s{0,3}+[\"']?+(?:(?i:bearer|basic|token|apikey|negotiate|aws4-hmac-sha256)\s+)?+(?![$<{%‹*])([^\r\n\"'‹]{6,4000})", "authorization", group=1),
    _pattern("bearer-token", r"(?i:\bbearer)\s{1,3}(?=[A-Za-z._~+/=-]{0,200}\d)([0-9A-Za-z._~+/=-]{16,4000})", "bearer", group=1),
    _pattern("basic-auth", r"(?i:\bbasic)\s{1,3}(?=[A-Za-z+/]{0,200}[\d=])([0-9A-Za-z+/]{10,1000}={0,2})", "basic", group=1),
    _pattern("cookie", r"(?i:\b(?:set-)?cookie)[\"']?\s{0,3}:\s{0,3}[\"']?(?=[^\r\n\"'‹=]{1,100}=)([^\r\n\"'‹]{8,4000})", "cookie", group=1),
    _pattern("signed-url", r"(?i:[?&](?:sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature|code|key)=)(?![$<{%‹])([^\s&\"'<>‹]{8,4000})", "sig", "signature", "token", "code=", "key=", group=1),
    _pattern("netrc-password", r"(?i:\b(?:machine\s+\S{1,255}|default)\s+login\s+\S{1,255}\s+password\s+)(?!‹)(\S{1,255})", "login", group=1),
    _pattern("docker-auth", r"\"auth\"\s{0,3}:\s{0,3}\"([0-9A-Za-z+/=]{8,2000})\"", '"auth"', group=1),
    _pattern("curl-password", r"\bcurl\b[^\n]{0,120}?\s(?:-u|--user)[ =][\"']?[^\s:\"']{1,100}:(?![$<{%‹])([^\s\"'‹]{1,200})", "curl", group=1),
    _pattern("storage-account-key", r"(?i:accountkey|sharedaccesskey)=([0-9A-Za-z+/]{20,200}={0,2})", "accountkey=", "sharedaccesskey=", group=1),
)  # fmt: skip

# A name that ends in one of our words, a sign, and a value: password=…, "client_secret": "…", GITHUB_TOKEN=…
# Each begins with a set of letters, because the engine skips to those quickly; a word that ignores case it tries
# at every position.
SIGN = r"(?:[\"'\]]|\\\"){0,2}\s{0,3}(?::=|=>|[:=])\s{0,3}"
NAMED_PASSWORD = re.compile(rf"[Pp](?i:asswords?|asswd|assphrase|asswort|wd){SIGN}{VALUE}")
NAMED_SECRET = re.compile(
    r"[KkTtSsCcWw_](?:(?<=[Kk])(?i:ey)|(?<=[Tt])(?i:oken)|(?<=[Ss])(?i:ecret|as)|(?<=[Cc])(?i:redentials?|lient-key-data)"
    rf"|(?<=[Ww])(?i:ebhook[_-]?url)|(?<=_)(?i:auth)){SIGN}{VALUE}"
)
SECRET_NAME = re.compile(rf"(?i:{PASSWORDISH}|{SECRETISH}|authorization|set-cookie)$")
LONGEST_NAME = 24  # of those in SECRETISH
METAVARIABLE = r"(?![A-Z_-]+(?:\s|$))(?!-)"  # as in: --token TOKEN
PASSWORD_FLAG = re.compile(
    rf"(?:(?<=\s--)|(?<=\s--db-)|(?<=\s--admin-))(?:password|passwd|pass)[ =]{{1,2}}{METAVARIABLE}{VALUE}"
)
SECRET_FLAG = re.compile(rf"(?<=-)(?:token|secret|api-?key|secret-key|access-key)[ =]{{1,2}}{METAVARIABLE}{VALUE}")
NAME_NEEDLES = ("pass", "pwd", "secret", "token", "key", "_auth", "credential", "webhook", "sas")

# Kubernetes: a variable of a container whose name tells, and what a Secret holds.
NAMED_VARIABLE = re.compile(
    rf"name:[ \t]{{0,4}}[\"']?([A-Za-z0-9_.-]{{1,100}})[\"']?[ \t]{{0,4}}\r?\n[ \t]{{0,40}}value:[ \t]{{0,4}}{VALUE}"
)
SECRET_DOCUMENT = re.compile(r"(?m)^kind:[ \t]{0,4}[\"']?Secret\b")
SECRET_BLOCK = re.compile(r"(?m)^(?:data|stringData):[ \t]*+\r?\n((?:[ \t]++[^\n]*+(?:\n|\Z))++)")
BLOCK_LINE = re.compile(r"(?m)^[ \t]++(?:[\w.-]{1,253}:[ \t]*+)?+([^\s|>#‹][^\r\n]*+)")

PEM_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
PEM_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
# The rest of a key whose end was cut off: lines of base64 and of headers. `\\n` is a line end inside JSON.
PEM_BODY = re.compile(
    r"(?:(?:\\r)?(?:\\n|\r?\n)[ \t>|]*(?:(?:Proc-Type|DEK-Info|Version|Comment):[^\n]{0,100}|[0-9A-Za-z+/=]{1,200})?){0,400}+"
)
BASE64_LINE = re.compile(r"[ \t>|]*[0-9A-Za-z+/=]{1,200}\s*")

# Random-looking text in quotes or behind a sign. Only mixed case with digits: digests, ids and commits are hex.
RANDOM = re.compile(
    r"(?<=[\"'=:\s])(?=[0-9A-Z+/_-]{0,60}[a-z])(?=[0-9a-z+/_-]{0,60}[A-Z])(?=[A-Za-z+/_-]{0,60}[0-9])[0-9A-Za-z+/_-]{32,200}={0,2}(?![0-9A-Za-z+/=_.-])"
)
HASH_BEFORE = re.compile(
    r"(?i:sha\d*|md5|digest|hash|checksum|integrity|etag|fingerprint|commit|revision|_id)[\"'\s:=-]{0,4}$"
)
RANDOM_BITS = 4.5  # bits a character: prose and paths stay below, random base64 of this length lies above


@cache
def borrowed() -> tuple[Pattern, ...]:
    """Patterns of detect-secrets for services whose keys have an unmistakable shape; nothing is verified by network."""
    wanted = {
        "azure-storage-key": (AzureStorageKeyDetector(), ("accountkey",)),
        "discord-token": (DiscordBotTokenDetector(), (".",)),
        "mailchimp-key": (MailchimpDetector(), ("-us",)),
        "sendgrid-key": (SendGridDetector(), ("sg.",)),
        "square-token": (SquareOAuthDetector(), ("sq0",)),
        "twilio-key": (TwilioKeyDetector(), ("sk",)),
    }
    return tuple(
        Pattern(kind, regex, needles)
        for kind, (detector, needles) in wanted.items()
        for regex in detector.denylist
        if not regex.pattern.startswith("AC")  # Twilio's account id is no secret
    )
