"""What a line can look like, told by patterns that both engines understand; the ranker's features are made of these.

None of them crosses a line: `.` stops at a line feed, classes that are negated name it, blanks are `[ \\t]`.
"""

from dataclasses import dataclass
from typing import Literal

Group = Literal[
    "error", "weak", "frame", "place", "detail", "summary", "marker", "start", "pass", "noise", "warning", "teardown"
]


@dataclass(frozen=True, slots=True)
class Cue:
    """`group` says what it speaks for; features count the groups of the lines around."""

    name: str
    group: Group
    pattern: str
    caseless: bool = False


def _any(name: str, group: Group, pattern: str) -> Cue:
    return Cue(name, group, pattern, caseless=True)


CUES: tuple[Cue, ...] = (
    # Errors, in the words of many tools.
    _any("error-colon", "error", r"\berrors?\b ?(?:\[\w+\]|[A-Z]{1,4}\d{2,5})?:"),
    Cue("error-capital", "error", r"\bERROR\b|\bERR!|\bE: "),
    _any("error-word", "weak", r"\berrors?\b"),
    Cue("error-start", "error", r"^[ \t]*(?:error|Error|ERROR)\b"),
    Cue("error-class", "error", r"\b[A-Z]\w*(?:Error|Exception|Failure|Fault)\b"),
    _any("fatal", "error", r"\bfatal\b|\bcritical\b|\bemerg\b|\bSEVERE\b"),
    _any("panic", "error", r"\bpanic(?:ked)?\b"),
    _any("exception", "error", r"\bexception\b|\buncaught\b|\bunhandled\b"),
    Cue("traceback", "error", r"Traceback \(most recent call last\)|^Caused by: |stack ?trace|goroutine \d+ \["),
    _any("fail-word", "weak", r"\bfail(?:s|ed|ing|ures?)?\b"),
    Cue("fail-start", "error", r"^[ \t]*(?:-{2,} ?)?(?:FAIL(?:ED|URE)?\b|not ok\b|Failed\b|Failure\b|Failures?:)"),
    Cue("fail-capital", "error", r"\bFAIL(?:ED|URES?)?\b"),
    Cue("cross", "error", r"\xe2\x9c\x97|\xe2\x9c\x96|\xe2\x9c\x98|\xc3\x97|\xe2\x9d\x8c|\xe2\x95\xb3|\xf0\x9f\x9a\xa8"),
    _any("numbered-failure", "error", r"^[ \t]*\d+\) [^\n]{3,}"),
    _any("assertion", "error", r"\bassert(?:ion)?(?:s|ed)?\b"),
    _any("expected", "detail", r"\bexpected\b|\bexpect\("),
    _any("actual", "detail", r"\bactual(?:ly)?\b|\bto (?:be|equal|eq|match|include|contain)\b|\bbut (?:was|got)\b|\breceived:"),
    _any("got", "detail", r"^[ \t]*(?:got|want|left|right|lhs|rhs)\b ?:?"),
    _any("not-found", "error", r"\bnot found\b|\bno such\b|\bdoes(?:n't| not) exist\b|\bcould not (?:be )?f(?:ind|ound)\b"),
    _any("cannot", "error", r"\bcan(?:not|'t)\b|\bcould(?: not|n't)\b|\bunable to\b"),
    _any("undefined", "error", r"\bundefined\b|\bunresolved\b|\bundeclared\b|\bunknown\b"),
    _any("unexpected", "error", r"\bunexpected\b|\binvalid\b|\billegal\b|\bmalformed\b|\bunsupported\b"),
    _any("missing", "error", r"\bmissing\b|\bmust\b|\brequired?s?\b"),
    _any("denied", "error", r"\bdenied\b|\bforbidden\b|\bunauthori[sz]ed\b|\bnot authori[sz]ed\b|\brefused\b|\brejected\b"),
    _any("timeout", "error", r"\btime(?:d)?[- ]?out\b|\bdeadline exceeded\b|\bno output has been received\b"),
    _any("killed", "error", r"\bkilled\b|\bsegmentation fault\b|\bsegfault\b|\bcore dumped\b|\bSIG(?:KILL|SEGV|ABRT|TERM|BUS|INT)\b|\boom[- ]?kill"),
    _any("aborted", "error", r"\babort(?:ed|ing)?\b|\bterminated\b|\bcancell?ed\b"),
    _any("memory", "error", r"\bout of memory\b|\bmemory limit\b|\bno space left\b|\bquota\b|\brate limit"),
    _any("connection", "error", r"\bconnection\b|\bresolve host\b|\bunreachable\b|\bcertificate\b|\bhandshake\b"),
    _any("syntax", "error", r"\bsyntax\b|\bparse error\b|\bunterminated\b"),
    _any("conflict", "error", r"\bconflict(?:s|ing|ed)?\b|\bincompatible\b|\bmismatch\b|\bunmet\b|\bviolat\w+"),
    _any("status", "error", r"\b(?:status|code|http/\d\.\d)[:= ]+\"?[45]\d\d\b|\b[45]\d\d (?:not found|forbidden|unauthorized|bad|internal|service|gateway|too many)"),
    _any("deprecated", "warning", r"\bdeprecat"),
    _any("warning", "warning", r"\bwarn(?:ing)?s?\b"),
    _any("vulnerable", "error", r"\bvulnerabilit|\bCVE-\d{4}-\d+|\bGHSA-"),
    # Details: where and what.
    Cue("place-colon", "place", r"[\w./\\@+-]+\.\w{1,10}:\d+"),
    Cue("place-bracket", "place", r"\.\w{1,10}[(\[]\d+(?:,\d+)?[)\]]|, line \d+|\bon line \d+|\bline \d+"),
    Cue("place-row", "place", r"^[ \t]*\d+:\d+[ \t]"),
    Cue("place-arrow", "place", r"^[ \t]*-->|^[ \t]+\xe2\x94\x82|^[ \t]*\xe2\x95\xad|^[ \t]*at [^\n]+ line \d+"),
    Cue("frame-python", "frame", r"^[ \t]*File \"[^\"\n]+\", line \d+"),
    Cue("frame-at", "frame", r"^[ \t]+at [\w$.<>\[\]/@(]"),
    Cue("frame-ruby", "frame", r":\d+:in [`']|^[ \t]+# [./~]"),
    Cue("frame-address", "frame", r"^[ \t]*#?\d+:?[ \t]+0x[0-9a-f]+|^[ \t]+\.{3} \d+ more|^\t/[^\n]+\.go:\d+"),
    Cue("frame-pytest", "frame", r"^[ \t]*[\w./-]+\.py:\d+: (?:in )?\w*"),
    Cue("pytest-e", "detail", r"^E  "),
    Cue("pytest-arrow", "detail", r"^>  "),
    Cue("caret", "detail", r"^[ \t|\d]*[\^~]+[ \t]*$|^[ \t.|]*\^"),
    Cue("gutter", "detail", r"^[ \t>]*\d+[ \t]+\||^[ \t]+\|"),
    Cue("diff-minus", "detail", r"^[ \t]*-[ \t]?[^-\s]"),
    Cue("diff-plus", "detail", r"^[ \t]*\+[ \t]?[^+\s]"),
    Cue("diff-header", "detail", r"^[ \t]*(?:---|\+\+\+|@@) "),
    Cue("rule", "detail", r"[=_-]{8,}|^[ \t]*[*#~]{5,}|\xe2\x8e\xaf{4,}|\xe2\x94\x80{4,}"),
    Cue("titled-rule", "detail", r"^[=_-]{3,} [^\n]+ [=_-]{3,}"),
    _any("note", "detail", r"^[ \t=]*(?:note|hint|help|reason|cause|message|details?)\b ?:"),
    _any("because", "detail", r"\bbecause\b|\bdue to\b|\breason\b|\bcaused by\b"),
    _any("in-function", "detail", r"\bin function\b|\bIn file included\b|\bfrom [^\n]+:\d+[:,]"),
    Cue("indented", "detail", r"^(?: {2,}|\t+)[^\s]"),
    # Summaries.
    _any("count-failures", "summary", r"\b[1-9]\d* (?:\w+ )?(?:fail(?:ed|ures?|ing)?|errors?|problems?|offen[cs]es?|broken|vulnerabilities)\b"),
    _any("failures-count", "summary", r"\b(?:failures?|failed|errors?|problems?|issues)[:=][ \t]*[1-9]\d*"),
    _any("zero-failures", "pass", r"\b(?:0|no) (?:fail(?:ed|ures?|ing)?|errors?|problems?|offenses|issues|vulnerabilities)\b|\b(?:failures?|errors?|failed)[:=][ \t]*0\b"),
    _any("tests-run", "summary", r"\btests? run:|\bran \d+ tests?|\b\d+ (?:tests?|examples?|specs?|runs|assertions|passed|passing)\b"),
    _any("build-failed", "summary", r"\bbuild (?:failed|failure|error)|\bbuild finished with error|\bcompilation (?:failed|error)|\bcould not compile\b|\bwhat went wrong\b"),
    _any("finished", "summary", r"\bfinished in\b|\bcompleted in\b|\btotal time\b|\belapsed\b|\bduration\b|\btook \d"),
    Cue("make-error", "summary", r"\bmake(?:\[\d+\])?: \*\*\*|^ninja: |\*\*\* \[[^\n]+\] Error \d+|gmake.*Error \d+"),
    _any("wrapper-error", "summary", r"\bnpm ERR!|\byarn run v|\brake aborted|\btasks: top|\blerna ERR|\berror command failed|\bELIFECYCLE\b"),
    _any("returned", "summary", r"\b(?:returned?|exit(?:ed)?|status|with)[: =]+(?:a )?(?:non-?zero|[1-9]\d{0,2})\b|\bnon-?zero (?:exit|code|status)"),
    # Markers of the failing command and of steps.
    _any("travis-exit", "marker", r"^The command \"?[^\n]*(?:exited with [1-9]|failed and exited with)"),
    _any("travis-exit-zero", "pass", r"^The command [^\n]*exited with 0"),
    _any("exit-code", "marker", r"\bexit (?:code|status):? ?[1-9]\d*|\bexited with (?:code |status |error )?[1-9]|\brc=[1-9]|\bexit=[1-9]"),
    _any("process-completed", "marker", r"^##\[error\](?:Process completed|Bash exited|PowerShell exited|Cmd\.exe exited|The process)"),
    _any("annotation", "error", r"^##\[error\]|^::error\b|^\[error\]|^##vso\[task\.logissue|^\[taskcluster:error\]"),
    _any("job-failed", "marker", r"^ERROR: Job failed|^Finished: (?:FAILURE|ABORTED|UNSTABLE)|^ERROR: script returned exit code|^user command error|^Exited with code|\bcommand exited with (?:code|status) [1-9]"),
    Cue("buildkite-error", "marker", r"^\^\^\^ \+\+\+|\xf0\x9f\x9a\xa8 Error"),
    Cue("command-dollar", "start", r"^[ \t]*\$ \S|^\[command\]|^Run [\w\"./-]|^##\[command\]"),
    Cue("command-trace", "start", r"^\++ [a-z./][^\n]*$"),
    _any("group", "start", r"^(?:##\[(?:group|section)\]|::group::|travis_fold:start|travis_time:start|section_start:|--- |\+\+\+ |~~~ |\[Pipeline\])"),
    _any("group-end", "start", r"^(?:##\[endgroup\]|::endgroup::|travis_fold:end|travis_time:end|section_end:)"),
    _any("maven-task", "start", r"^\[INFO\] -+|^> Task :|^\[INFO\] (?:---|Building )|^Step \d+/\d+ :|^#\d+ \[|^=== RUN|^\[\d+/\d+\] "),
    _any("teardown", "teardown", r"^(?:Post job cleanup|Cleaning up|Cleanup|Uploading artifacts|Done\. Your build exited|Your build has been stopped|Temporarily overriding|\[command\]/usr/bin/git|Saving cache|store build cache|Stopping |Removing |Running after_script|after_failure|travis_fold:start:(?:after|cache)|Terminate orphan|Evaluate and set job outputs|Cleaning up orphan)|\bafter_(?:failure|script)\b"),
    # Good signs and noise.
    _any("pass-word", "pass", r"\bpass(?:ed|es|ing)?\b|\bsuccess(?:ful|fully)?\b|\bsucceeded\b|\bup[- ]to[- ]date\b"),
    Cue("ok", "pass", r"\b(?:OK|ok|PASS|PASSED|DONE|done)\b|\xe2\x9c\x93|\xe2\x9c\x94|\xe2\x9c\x85|\.\.\. ?ok"),
    Cue("dots", "pass", r"[.sFE]{20,}"),
    _any("download", "noise", r"\bdownload(?:ed|ing)?\b|\bfetch(?:ed|ing)?\b|\bget:\d+|\bpull(?:ed|ing)\b|\breceiving objects\b|\bresolving deltas\b"),
    _any("install", "noise", r"\binstall(?:ed|ing)?\b|\bsetting up\b|\bunpacking\b|\bpreparing to unpack\b|\bselecting previously\b|\bbuilding wheel\b|\bcollecting\b|\bcached\b|\balready satisfied\b|\busing \w+ \d"),
    _any("compile", "noise", r"\bcompil(?:ing|ed)\b|^[ \t]*(?:CC|CXX|LD|AR|GEN) |\bgcc |\bclang\b|\bg\+\+ |\bjavac\b|\[ *\d+%\]"),
    _any("running", "noise", r"^[ \t]*(?:running|starting|checking|testing|building|loading|creating|generating|copying|linting|started|begin)\b"),
    _any("info", "noise", r"\binfo\b|\bdebug\b|\btrace\b|\bnotice\b"),
    Cue("export", "noise", r"^(?:export )?[A-Z_][A-Z0-9_]+=|^[a-z_]+=\S"),
    Cue("url", "noise", r"https?://"),
    Cue("percent", "noise", r"\b\d{1,3}(?:\.\d+)?%"),
    Cue("version", "noise", r"\bv?\d+\.\d+\.\d+\b"),
    Cue("bytes", "noise", r"\b\d+(?:\.\d+)? ?[kKMG]i?B\b"),
    Cue("list", "noise", r"^[ \t]*[*\xe2\x80\xa2-] \S"),
    Cue("question", "detail", r"\?$"),
    Cue("colon-end", "detail", r":[ \t]*$"),
    Cue("quoted", "detail", r"'[^'\n]+'|`[^`\n]+[`']|\xe2\x80\x98[^\n]+\xe2\x80\x99"),
    Cue("code", "detail", r"[;{}][ \t]*$|^[ \t]*(?:def|class|function|return|if|for|let|const|var|import)\b|=> ?\{|\(\)"),
    Cue("json", "detail", r"^[ \t]*[\[{\"].*[\]},\"]$"),
    Cue("sentence", "detail", r"^[ \t]*[A-Z][a-z]+ [a-z]+ [a-z]+[^\n]*\.$"),
    Cue("heading", "detail", r"^[A-Z][\w ]{2,40}:$|^#+ |^=+>? |^==> "),
    # Levels of structured logs and of Kubernetes' events.
    Cue("level-error", "error", r"\"?(?:level|severity|lvl)\"?[=:] ?\"?(?:error|ERROR|fatal|FATAL|crit|CRITICAL|panic)|\[(?:ERROR|FATAL|CRITICAL|error|fatal)\]|^[EF]\d{4} "),
    Cue("level-warning", "warning", r"\"?(?:level|severity|lvl)\"?[=:] ?\"?(?:warn|WARN)|\[(?:WARN|WARNING|warn)\]|^W\d{4} |^[ \t]*Warning[ \t]{2,}"),
    _any("kubernetes", "error", r"\bBackOff\b|\bErrImage|\bOOMKilled\b|\bFailedScheduling\b|\bCrashLoop|\bUnhealthy\b|\bEvicted\b|\bFailedMount|\bProvisioningFailed\b|\bNotReady\b|\bPending\b"),
)  # fmt: skip
GROUPS: tuple[Group, ...] = (
    "error", "weak", "frame", "place", "detail", "summary", "marker", "start", "pass", "noise", "warning", "teardown",
)  # fmt: skip
