"""The command line: shipmate serve | demo | doctor | manifest | train | audit | triage | drift | evaluate."""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.config import Settings, SettingsError, load_settings, prepare_environment
from bot.drift_command import add_arguments as add_drift_arguments
from bot.drift_command import run as run_drift
from bot.evaluation import add_evaluations
from pipelines.errors import Refused, Unavailable

PROBLEM, USAGE = 1, 2
Command = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
REFUSED = 3  # `shipmate train`: the data or the trainer was at fault, error.json says how


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit code."""
    asked = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = asked.run
    try:
        return run(asked)
    except (SettingsError, Refused, Unavailable) as problem:
        sys.stderr.write(f"{problem}\n")
        return PROBLEM


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="shipmate", description="ChatOps for teams that run models on Kubernetes.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=about, description=about)
        found.set_defaults(run=run)
        return found

    command("serve", _serve, "run the bot")
    demo = command("demo", _demo, "run the bot in a Slack workspace on this machine")
    demo.add_argument("--port", type=int, default=4000, help="port of the page (default 4000)")
    demo.add_argument("--seconds-per-hour", type=float, default=10.0, help="how fast the demo's time runs (default 10)")
    demo.add_argument("--no-traffic", action="store_true", help="without the served model and its traffic")
    demo.add_argument("--folder", type=Path, default=Path("var/demo"), help="where the demo keeps everything")
    doctor = command("doctor", _doctor, "check every connection and permission, and say what to do")
    doctor.add_argument("--json", action="store_true", help="one JSON object")
    manifest = command("manifest", _manifest, "print the Slack app manifest")
    manifest.add_argument("--mode", choices=("socket", "http"), default="socket")
    manifest.add_argument("--url", default="", help="public address of the bot, for --mode http")
    train = command("train", _train, "run one training job from its folder (the bot starts this itself)")
    train.add_argument("--workdir", required=True, help="folder that holds job.json")
    audit = command("audit", _audit, "check that nobody changed the audit trail, or show who did what")
    audit.add_argument("what", choices=("verify", "show"))
    audit.add_argument("--about", default="", help="only rows whose actor, action or subject holds this text")
    audit.add_argument("--last", type=int, default=20, help="how many rows to show, newest first (default 20)")
    audit.add_argument("--json", action="store_true", help="one JSON object a row, as it was chained")
    add_evaluations(commands)
    command("settings", _settings, "print the table of settings")
    add_drift_arguments(command("drift", run_drift, "judge two tables: did the data, the concept or the model change?"))
    _add_triage(command)
    return parser


def _serve(_asked: argparse.Namespace) -> int:
    from bot.app import build_bot
    from bot.catalogue import load_catalogue
    from bot.memory import settle_memory
    from bot.redaction import Redactor
    from bot.telemetry import configure_logs

    settings = _prepared(load_settings())
    configure_logs(settings.log_format, settings.log_level, Redactor())
    if missing := settings.missing_for_slack():
        raise SettingsError(
            f"Set {', '.join(missing)}. `shipmate doctor` checks them; docs/configuration.md says where."
        )
    bot = build_bot(settings, load_catalogue(settings.catalogue_path, settings.data_dir))
    stopping = _stop_signals()
    bot.start()
    settle_memory()
    stopping.wait()
    bot.stop()
    _leave()
    return 0


def _demo(asked: argparse.Namespace) -> int:
    from bot.demo.run import start_demo
    from bot.demo.traffic import Pace
    from bot.redaction import Redactor
    from bot.telemetry import configure_logs

    configure_logs("console", "WARNING", Redactor())
    prepare_environment(Settings(slack_api_url="http://127.0.0.1/api/"))
    stopping = _stop_signals()
    sys.stdout.write("Starting the workspace and the bot …\n")
    sys.stdout.flush()
    pace = None if asked.no_traffic else Pace(seconds_per_hour=max(1.0, asked.seconds_per_hour))
    demo = start_demo(asked.folder.absolute(), asked.port, pace=pace)
    sys.stdout.write(
        f"\n  Shipmate is in a workspace of its own:  {demo.url}\n\n"
        "  As Ben type  /retrain churn  in #ml, as Ana press Approve. Anybody may /ask how do I roll a model back?\n"
        "  Stop with Ctrl+C; everything is kept.\n\n"
    )
    sys.stdout.flush()
    stopping.wait()
    demo.stop()
    _leave()
    return 0


def _doctor(asked: argparse.Namespace) -> int:
    from bot.doctor import examine, report

    settings = _prepared(load_settings())
    findings = examine(settings)
    sys.stdout.write(report(findings, as_json=asked.json) + "\n")
    return PROBLEM if any(finding.level == "problem" for finding in findings) else 0


def _manifest(asked: argparse.Namespace) -> int:
    from bot.app import registered_manifest

    if asked.mode == "http" and not asked.url.startswith("https://"):
        sys.stderr.write("--mode http needs --url https://…, the address at which Slack reaches the bot.\n")
        return USAGE
    sys.stdout.write(json.dumps(registered_manifest(asked.mode, asked.url), indent=2, ensure_ascii=False) + "\n")
    return 0


def _train(asked: argparse.Namespace) -> int:
    from pipelines.retrain.training import run_job

    try:
        run_job(Path(asked.workdir))
    except Refused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return REFUSED
    return 0


def _audit(asked: argparse.Namespace) -> int:
    from bot.clients.clock import SystemClock
    from bot.clients.ledger import Ledger
    from pipelines.audit import faults
    from pipelines.json_values import to_json

    trail = Ledger(_prepared(load_settings()).database_url, SystemClock()).audit
    if asked.what == "show":
        for row in trail.newest(max(1, asked.last), asked.about):
            entry = row.entry
            told = f"{row.number}  {entry.at:%Y-%m-%d %H:%M} UTC  {entry.actor}  {entry.action}  {entry.subject}"
            sys.stdout.write(f"{json.dumps(to_json(row)) if asked.json else told}\n")
        return 0
    rows = list(trail.rows())
    found = faults(rows)
    sys.stdout.write("\n".join(found) + "\n" if found else f"The audit trail is whole: {len(rows)} rows.\n")
    return PROBLEM if found else 0


def _settings(_asked: argparse.Namespace) -> int:
    from bot.config import settings_table

    sys.stdout.write(settings_table())
    return 0


def _add_triage(command: Command) -> None:
    from bot.triage_command import add_arguments, triage

    add_arguments(command("triage", triage, "find what went wrong in a log"))


def _prepared(settings: Settings) -> Settings:
    prepare_environment(settings)
    return settings


def _stop_signals() -> threading.Event:
    # The socket handler's own start() ignores SIGTERM, so the signals are ours.
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _leave() -> None:
    # Pools of libraries keep threads that would hold the interpreter; all of ours has been drained.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
