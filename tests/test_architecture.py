"""What a reviewer would otherwise have to look for each time: contracts, budgets, and facts that stand twice."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import Settings

ROOT = Path(__file__).resolve().parents[1]
# In tests a longer sleep than that between two looks stands with its reason.
LONGEST_SILENT_SLEEP = 0.5
PACKAGES = ("bot", "commands", "handlers", "pipelines")
FEATURES = {"retrain", "drift", "incident", "triage", "ask", "deploy", "digest", "logs"}
LONGEST_FUNCTION = 50
LONGEST_FILE = 400
CATCHERS = {"bot/listeners.py", "bot/server.py"}
LAYOUT = {
    *PACKAGES,
    "manifests", "tests", "docs", "requirements", ".ci", ".github", "Dockerfile", ".dockerignore", ".gitignore",
    ".gitattributes", "pyproject.toml", "Makefile", "README.md", "CHANGELOG.md", "LICENSE",
}  # fmt: skip
# Pieces, so that this file does not name what it forbids.
REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org")


def tracked(*patterns: str) -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[Path]:
    found = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    assert len(found) > 50
    return found


def nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text()))


def short(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def where(file: Path, node: ast.stmt | ast.expr | ast.excepthandler) -> str:
    return f"{short(file)}:{node.lineno}"


def test_calls_go_only_where_the_import_contracts_allow() -> None:
    outcome = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_no_function_is_longer_than_its_budget() -> None:
    long = [
        f"{where(file, node)} {node.name}"
        for file in modules()
        for node in nodes(file)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_no_file_is_longer_than_its_budget() -> None:
    assert [short(file) for file in modules() if len(file.read_text().splitlines()) > LONGEST_FILE] == []


def test_only_the_bridge_and_the_server_catch_everything() -> None:
    broad = [
        where(file, node)
        for file in modules()
        for node in nodes(file)
        if isinstance(node, ast.ExceptHandler) and short(file) not in CATCHERS and catches_everything(node.type)
    ]
    assert broad == []


def catches_everything(caught: ast.expr | None) -> bool:
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        name is None or (isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"}) for name in names
    )


def test_only_the_settings_read_the_environment() -> None:
    readers = [
        where(file, node)
        for file in modules()
        for node in nodes(file)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in {"environ", "environb", "getenv", "putenv"}
        and short(file) != "bot/config.py"
    ]
    assert readers == []


def test_only_workflows_import_the_durable_engine() -> None:
    importers = {
        short(file)
        for file in modules()
        for node in nodes(file)
        if (isinstance(node, ast.Import) and any(name.name.split(".")[0] == "dbos" for name in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dbos")
    }
    assert importers
    assert [name for name in importers if not re.fullmatch(r"pipelines/\w+/workflow\.py", name)] == []


def test_a_feature_has_the_same_name_in_every_folder() -> None:
    pipelines = {
        folder.name for folder in (ROOT / "pipelines").iterdir() if folder.name in FEATURES and folder.is_dir()
    }
    assert "retrain" in pipelines
    without_card = [name for name in pipelines if not (ROOT / "bot" / "cards" / f"{name}.py").is_file()]
    without_door = [
        name
        for name in pipelines
        if not any((ROOT / folder / f"{name}.py").is_file() for folder in ("commands", "handlers"))
    ]
    assert (without_card, without_door) == ([], [])


def test_nothing_is_left_for_later() -> None:
    # Pieces again.
    marks = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error", "type: " + r"ignore(?!\[)")))
    assert [short(file) for file in tracked("*.py") if marks.search(file.read_text())] == []


def test_no_committed_text_names_the_host_of_a_package_registry() -> None:
    naming = []
    for file in tracked():
        text = file.read_bytes().decode("utf-8", errors="ignore")
        naming += [f"{short(file)}: {host}" for host in REGISTRIES if host in text]
    assert naming == []


def test_the_top_of_the_repository_holds_what_the_architecture_names() -> None:
    assert {short(file).split("/")[0] for file in tracked()} - LAYOUT == set()


def test_tests_live_in_no_package_and_under_different_names() -> None:
    names = [file.name for file in tracked("tests/**/test_*.py", "tests/test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert tracked("tests/**/__init__.py", "tests/__init__.py") == []


def test_a_test_that_sleeps_says_why() -> None:
    """What is to come is waited for; only that nothing comes, or that something lasts, takes a time."""
    silent = [
        where(file, node)
        for file in tracked("tests/**/*.py")
        if "benchmarks" not in file.parts and "scripted" not in file.name
        for node in nodes(file)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
        and isinstance(node.args[0], ast.Constant) and float(node.args[0].value) > LONGEST_SILENT_SLEEP
        and "  # " not in file.read_text().splitlines()[node.lineno - 1]
    ]  # fmt: skip
    assert silent == []


def test_the_settings_table_names_every_setting_and_no_other() -> None:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", (ROOT / "docs/configuration.md").read_text(), flags=re.MULTILINE)
    documented = {re.findall(r"`([A-Z_]+)`", row)[0] for row in rows}
    assert documented == {f"SHIPMATE_{name.upper()}" for name in Settings.model_fields}


def test_the_changelog_knows_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("document", ["README.md", "docs/development.md"])
def test_every_make_command_in_the_documents_is_a_target(document: str) -> None:
    named = re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / document).read_text(), flags=re.MULTILINE)
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert named
    assert [name for name in named if name not in targets] == []


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{short(file)}: {target}"
        for file in tracked("*.md")
        for target in re.findall(r"\]\(([^)#\s]+)", file.read_text())
        if "://" not in target and not target.startswith("mailto:") and not (file.parent / target).exists()
    ]
    assert broken == []
