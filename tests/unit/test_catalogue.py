import json
from collections.abc import Callable
from datetime import time
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from bot.catalogue import DEMO_CATALOGUE, CatalogueError, catalogue_schema, load_catalogue
from bot.sandbox.slack.roster import Roster
from pipelines.people import Role

DEMO = DEMO_CATALOGUE.read_text()
DATA = Path("/data")
Refusal = Callable[[str | bytes], list[str]]


@pytest.fixture
def told(tmp_path: Path) -> Refusal:
    """Writes a catalogue and answers the lines of its refusal."""

    def refuse(content: str | bytes) -> list[str]:
        path = tmp_path / "shipmate.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(CatalogueError) as caught:
            load_catalogue(path, DATA)
        return str(caught.value).splitlines()

    return refuse


def changed(*changes: tuple[str, str]) -> str:
    text = DEMO
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_demo_catalogue_is_without_mistakes() -> None:
    catalogue = load_catalogue(DEMO_CATALOGUE, DATA)
    churn = catalogue.models_by_name["churn"]
    assert [spec.name for spec in catalogue.models] == ["diabetes-progression", "tumour", "churn", "loan-default"]
    assert (churn.data, churn.owner, churn.channel) == ("/data/data/churn.csv", "Ana Lima", "#ml")
    assert churn.gate.metric == "roc_auc"
    assert (churn.nightly, catalogue.schedules[0].at) == (True, time(3, 0))
    assert catalogue.roles.everyone is Role.VIEWER


def test_the_demo_catalogue_names_people_and_channels_of_the_sandbox() -> None:
    catalogue = load_catalogue(DEMO_CATALOGUE, DATA)
    roster = Roster()
    assert {person.slack: person.name for person in catalogue.people} == {
        member.email: member.real_name for member in roster.people
    }
    assert {channel.name for channel in catalogue.channels} <= {f"#{room.name}" for room in roster.rooms}


def test_a_mistake_names_file_line_and_what_to_write(told: Refusal) -> None:
    text = changed(("    tolerance: 0.01", "    tolerence: 0.01"))
    line = line_of(text, "tolerence")
    assert told(text) == [
        f'shipmate.yaml:{line}: gates.ranking.tolerence is not known. Did you mean "tolerance"? '
        "Write e.g. tolerance: 0.01"
    ]


# change -> the part of the file that the line must point at, and what must be said of it
MISTAKES = [
    ("owner: ana\n", "owner: anna\n", "owner: anna", 'no such person or team. Did you mean "ana"?'),
    ('"#ml"\n    gate: ranking', "#ml\n    gate: ranking", "channel: #ml", 'Write e.g. channel: "#ml"'),
    ('"#ml"\n    gate: ranking', "mll\n    gate: ranking", "channel: mll", 'Did you mean "ml"?'),
    ("gate: ranking", "gate: rankin", "gate: rankin", 'no such gate. Did you mean "ranking"?'),
    ("timeout_minutes: 30", "timeout_minutes: 1.5", "timeout_minutes: 1.5", "must be a whole number, not 1.5"),
    ("timeout_minutes: 30", 'timeout_minutes: "30"', "timeout_minutes", 'must be a whole number, not "30"'),
    ("timeout_minutes: 30", "timeout_minutes: 0", "timeout_minutes", "must be greater than or equal to 1"),
    ("requester_may_approve: false", "requester_may_approve: no", "requester_may", "must be true or false"),
    ("problem: regression ", "problem: regresion ", "regresion", "must be regression or classification"),
    ("positive_label: malignant", "positive_label: 1", "positive_label: 1", "must be text, not 1"),
    ("f1: 0.90", "f1: 90", "f1: 90", "lies between 0 and 1. Write e.g. f1: 0.9"),
    ("rmse: 70", "rmse: -1", "rmse: -1", "never negative"),
    ("r2: 0.25", "r2: 25", "r2: 25", "at most 1"),
    ("metric: rmse", "metric: roc_auc", "metric: roc_auc\n", "does not fit a regression"),
    ("metric: f1", "metric: f11", "metric: f11", 'Did you mean "f1"?'),
    ("target: diagnosis", "target:", "target:\n", "is empty. Write e.g. target:"),
    ("    target: churned\n", "", "  churn:\n", "models.churn.target is missing. Write e.g. target: churned"),
    ("drop_columns: [customer_id]", "drop_columns: [churned]", "drop_columns", "the target"),
    ("drop_columns: [customer_id]", "drop_columns: customer_id", "drop_columns", "must be a list"),
    ("approver: [ana]", "aprover: [ana]", "aprover", 'Did you mean "approver"?'),
    ("approver: [ana]", "approver: [anna]", "approver: [anna]", 'no such person. Did you mean "ana"?'),
    ("everyone: viewer", "everyone: admin", "everyone", "must be viewer or engineer"),
    ("needed: 1", "needed: 2", "needed: 2", "but 1 may approve"),
    ("slack: ben@shipyard.example", "slack: ana@shipyard.example", "Ben Okafor", "like somebody else's"),
    ("slack: ben@shipyard.example", "slack: ben", "Ben Okafor", "a Slack user id such as U0123ABCD or an e-mail"),
    ("members: [ana, ben]", "members: [ana, ana]", "growth:", 'names "ana" twice'),
    ('at: "03:00"', "at: 3am", "at: 3am", "a time such as 03:00"),
    ("retrain: [churn]", "retrain: [chrun]", "chrun", 'no such model. Did you mean "churn"?'),
    ("retrain: [churn]", "retrain: []", "retrain: []", "must not be empty"),
    ("${data_dir}/data/churn.csv", "${HOME}/churn.csv", "${HOME}", "Write e.g. ${data_dir}/churn.csv"),
    ("${data_dir}/data/churn.csv", "https://me:pw@x.example/c.csv", "https://me", "carries a password"),
    ("  churn:\n", "  Churn Model:\n", "Churn Model", "small letters, digits and hyphens"),
    ("  churn:\n", "  tumour:\n", "  tumour:\n    description: Who", 'found duplicate key "tumour"'),
    ("gate: ranking", "gate: ranking\n    trainer: image:x", "trainer: image:x", "an image without a command"),
    ("schedules:", "schedule:", "schedule:", 'Did you mean "schedules"?'),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where", "says"), MISTAKES, ids=[f"{m[1].strip()[:28]}" for m in MISTAKES])
def test_each_mistake_is_told_where_it_is(old: str, new: str, where: str, says: str, told: Refusal) -> None:
    text = changed((old, new))
    line = text[: text.index(where)].count("\n") + 1
    assert any(said.startswith(f"shipmate.yaml:{line}:") and says in said for said in told(text))


def test_all_mistakes_are_told_at_once_and_in_order(told: Refusal) -> None:
    said = told(changed(("owner: ana\n", "owner: anna\n"), ("hours: 24", "hours: soon"), ("[churn]", "[chrun]"),
                        ("metric: f1", "metrik: f1"), ("ben: {", "ben: {age: 3, ")))  # fmt: skip
    lines = [int(line.split(":")[1]) for line in said]
    assert lines == sorted(lines)
    for part in ("people.ben.age", "tumour.gate.metrik", "owner", "approval.hours", "schedules.nightly.retrain[0]"):
        assert any(part in line for line in said), part


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "1: the file is empty"),
        ("  \n\n", "1: the file is empty"),
        ("# nothing yet\n", "only comments"),
        ("models:\n\tchurn: 1\n", "2: a tab indents this line"),
        ("models: [\n", "this is not YAML"),
        ("hello", "must hold"),
        ("- a\n- b\n", "must hold"),
        ("models: []\n", "models must hold"),
        ("models: {}\n", "models is empty"),
        ("models: {a: 1, a: 2}\n", "duplicate key"),
        (b"models:\n  a: \xff\n", "2: the file is not UTF-8"),
        ("models: \x00", "not YAML"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
        ("models: &a [*a]\n", "models must hold"),
        ("[" * 900_000, "nested too deeply"),
        ("".join(f"{' ' * n}a:\n" for n in range(900)), "nested too deeply"),
        ("x: " + "y" * 1_000_001, "larger than"),
        ("1: 2\nmodels: {}\n", "1: 1 is not known"),
        ("models: !!python/object/apply:os.system [x]\n", "models must hold"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_catalogue_is_refused(content: str | bytes, says: str, told: Refusal) -> None:
    assert any(says in line for line in told(content))


def test_aliases_that_stand_for_billions_of_values_are_refused(told: Refusal) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "more than 50,000 values" in told("\n".join(lines))[0]


def test_a_missing_file_says_which_setting_points_to_it(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="SHIPMATE_CATALOGUE_PATH"):
        load_catalogue(tmp_path / "none.yaml", DATA)
    with pytest.raises(CatalogueError, match="cannot be read"):
        load_catalogue(tmp_path, DATA)


def test_relative_data_starts_at_the_folder_of_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "shipmate.yaml"
    path.write_text(
        changed(("${data_dir}/data/churn.csv", "tables/churn.csv"), ("${data_dir}/data/tumour.csv", "s3://b/t.csv"))
    )
    models = load_catalogue(path, DATA).models_by_name
    assert models["churn"].data == str(tmp_path / "tables/churn.csv")
    assert models["tumour"].data == "s3://b/t.csv"


def test_roles_may_name_people_ids_addresses_and_groups(tmp_path: Path) -> None:
    path = tmp_path / "shipmate.yaml"
    path.write_text(
        changed(("approver: [ana]", 'approver: [ana, U0123ABCD, "@ml-leads", x@y.example]'), ("needed: 1", "needed: 5"))
    )
    assert load_catalogue(path, DATA).roles.approver == (
        "ana@shipyard.example",
        "U0123ABCD",
        "@ml-leads",
        "x@y.example",
    )


def test_the_schema_accepts_the_demo_and_refuses_what_we_refuse() -> None:
    schema = catalogue_schema()
    demo = json.loads(json.dumps(YAML(typ="safe").load(DEMO)))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(demo, schema)
    demo["models"]["churn"]["targett"] = "x"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(demo, schema)
    assert schema["$defs"]["ModelEntry"]["properties"]["target"]["description"] == "The column to predict."


def test_folders_and_repositories_of_documents_are_read() -> None:
    knowledge = load_catalogue(DEMO_CATALOGUE, DATA).knowledge
    assert [(one.name, one.place, one.channels, one.every_minutes) for one in knowledge.folders] == [
        ("runbooks", "/data/documents", (), 5)
    ]
    assert knowledge.repositories == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("path: ${data_dir}/documents", "", "knowledge.folders.runbooks.path is missing"),
        ("${data_dir}/documents", "${home}/documents", "uses ${home}, which is not known"),
        ("${data_dir}/documents", "https://wiki.example", "is an address"),
        ("every_minutes: 5", "every_minutes: 0", "every_minutes must be greater than or equal to 1"),
        ("channels: []", 'channels: ["#nowhere"]', 'names "#nowhere", which is not under channels'),
        ("channels: []", "links: x", 'links is not known. Did you mean "link"?'),
    ],
)
def test_mistakes_in_the_documents_are_told_with_their_line(told: Refusal, old: str, new: str, says: str) -> None:
    text = changed((old, new))
    lines = told(text)
    assert any(says in line for line in lines), lines
    assert int(lines[0].split(":")[1]) >= line_of(text, "knowledge:")


@pytest.mark.parametrize(
    ("repository", "says"),
    [
        ("https://ana:secret@git.example/x.git", "carries a password"),
        ("--upload-pack=touch /tmp/x", "cannot be cloned"),
        ("ftp://git.example/x", "cannot be cloned"),
    ],
)
def test_repositories_that_cannot_or_must_not_be_cloned_are_told(told: Refusal, repository: str, says: str) -> None:
    lines = told(DEMO + f'  git:\n    handbook: {{repository: "{repository}"}}\n')
    assert [says in line for line in lines] == [True], lines
