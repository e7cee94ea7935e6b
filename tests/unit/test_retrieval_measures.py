"""The measures of `shipmate evaluate retrieval`, by hand, and what judged sets may look like."""

import gzip
import json
import math
import random

import pytest

from bot.__main__ import main
from bot.evaluation.judged import read_judged_set
from bot.evaluation.measures import mean, ndcg, recall, reciprocal_rank
from pipelines.errors import Refused

RUN = {"q1": ["d3", "d1", "d2"], "q2": ["d9"], "q3": ["d1"]}
GRADES = {"q1": {"d1": 2.0, "d2": 1.0, "d4": 0.0, "d5": -1.0}, "q2": {"d1": 1.0}, "q4": {"d1": 1.0}, "q3": {"d1": 0.0}}


def test_ndcg_by_hand():
    gained = 2 / math.log2(3) + 1 / math.log2(4)
    ideal = 2 / math.log2(2) + 1 / math.log2(3)
    assert ndcg(RUN, GRADES) == {"q1": pytest.approx(gained / ideal), "q2": 0.0, "q4": 0.0}


def test_recall_and_reciprocal_rank_by_hand():
    assert recall(RUN, GRADES, depth=2) == {"q1": 0.5, "q2": 0.0, "q4": 0.0}
    assert reciprocal_rank(RUN, GRADES) == {"q1": 0.5, "q2": 0.0, "q4": 0.0}


def test_only_the_first_ten_count():
    run = {"q": [f"x{number}" for number in range(10)] + ["d"]}
    assert (ndcg(run, {"q": {"d": 1}}), reciprocal_rank(run, {"q": {"d": 1}})) == ({"q": 0.0}, {"q": 0.0})


def test_more_than_ten_relevant_documents_can_still_be_perfect():
    grades = {"q": {f"d{number}": 1.0 for number in range(20)}}
    assert ndcg({"q": [f"d{number}" for number in range(20)]}, grades) == {"q": pytest.approx(1.0)}


def test_a_document_that_is_named_twice_counts_once():
    assert ndcg({"q": ["d", "d", "e"]}, {"q": {"d": 1, "e": 1}}) == {"q": pytest.approx(1.0)}


def test_the_mean_of_nothing_is_nothing():
    assert mean(ndcg({}, {})) == 0.0


def test_trec_eval_says_the_same():
    import pytrec_eval

    chance = random.Random(7)
    run, grades = {}, {}
    for query in map(str, range(40)):
        run[query] = chance.sample([f"d{number}" for number in range(60)], 30)
        grades[query] = {f"d{number}": chance.choice([-1, 0, 0, 1, 2, 3]) for number in chance.sample(range(80), 25)}
    scored = {query: {name: 100.0 - place for place, name in enumerate(ranked)} for query, ranked in run.items()}
    judge = pytrec_eval.RelevanceEvaluator(grades, {"ndcg_cut.10", "recall.5", "recip_rank"})
    theirs = judge.evaluate(scored)
    assert ndcg(run, grades) == pytest.approx({query: each["ndcg_cut_10"] for query, each in theirs.items()})
    assert recall(run, grades) == pytest.approx({query: each["recall_5"] for query, each in theirs.items()})
    whole = reciprocal_rank(run, grades, depth=1000)
    assert whole == pytest.approx({query: each["recip_rank"] for query, each in theirs.items()})


def write(folder, corpus, queries, qrels, packed=False):
    for name, content in (("corpus.jsonl", corpus), ("queries.jsonl", queries), ("qrels.tsv", qrels)):
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content.encode()))
        else:
            (folder / name).write_text(content)


@pytest.mark.parametrize("packed", [False, True])
def test_judged_sets_of_all_sorts_are_read(tmp_path, packed):
    rows = [
        {"_id": "d1", "title": "T", "text": "x\u2028y"}, {"_id": "d2", "text": "no title"},
        {"_id": "d3", "title": None, "text": None}, {"_id": 4, "title": "number"}, {"_id": "d1", "text": "again"},
    ]  # fmt: skip
    corpus = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n"
    qrels = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t-1\r\nq2 0 d3 1\n"
    write(tmp_path, corpus, '{"_id": "q1", "text": "x"}\n{"_id": "q3", "text": "y"}', qrels, packed)
    judged = read_judged_set(tmp_path)
    assert judged.corpus == {"d1": ("T", "x\u2028y"), "d2": ("", "no title"), "d3": ("", ""), "4": ("number", "")}
    assert judged.queries == {"q1": "x", "q3": "y"}
    assert judged.judgements == {"q1": {"d1": 2.0, "d2": -1.0}, "q2": {"d3": 1.0}}


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("corpus.jsonl", "{broken", "corpus.jsonl:2 is no JSON object"),
        ("corpus.jsonl", "[1]", "corpus.jsonl:2 is no JSON object"),
        ("queries.jsonl", '{"text": "x"}', "queries.jsonl:2 is no JSON object"),
        ("qrels.tsv", "q1\td1\tmany", "qrels.tsv:2 should be"),
        ("qrels.tsv", "q1", "qrels.tsv:2 should be"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path, name, line, said):
    write(tmp_path, '{"_id": "d1"}\n', '{"_id": "q1"}\n', "query-id\tcorpus-id\tscore\n")
    with (tmp_path / name).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(Refused, match=said):
        read_judged_set(tmp_path)


def test_a_folder_without_the_files_is_told(tmp_path):
    with pytest.raises(Refused, match="names a folder with three files"):
        read_judged_set(tmp_path)


def test_a_damaged_archive_is_told(tmp_path):
    write(tmp_path, "{}", "{}", "", packed=True)
    (tmp_path / "corpus.jsonl.gz").write_bytes(b"\x1f\x8bno archive")
    with pytest.raises(Refused, match="cannot be read"):
        read_judged_set(tmp_path)


def test_a_judged_set_is_evaluated_through_the_command(tmp_path, capsys):
    rows = [
        {"_id": "restart", "title": "Restart", "text": "Drain the server, then restart it."},
        {"_id": "again", "title": "Restart", "text": "Drain the server, then restart it."},
        {"_id": "coffee", "title": "Coffee", "text": "Clean the machine on Fridays."},
        {"_id": "empty", "title": "", "text": ""},
        {"_id": "titled", "title": "KubePodCrashLooping"},
    ]
    corpus = "\n".join(json.dumps(row) for row in rows)
    queries = "\n".join(
        json.dumps({"_id": f"q{n}", "text": text})
        for n, text in enumerate(
            ["how to restart a server", "who cleans the machine", "pods crash looping", "unjudged", ""]
        )
    )
    judged = ["q0 restart 1", "q0 again 1", "q1 coffee 2", "q2 titled 1", "q4 coffee 1", "q9 x 1"]
    qrels = "\n".join(["query-id corpus-id score", *judged]).replace(" ", "\t")
    write(tmp_path, corpus, queries, qrels)
    run = tmp_path / "run.json"
    assert main(["evaluate", "retrieval", "--data", str(tmp_path), "--json", "--run", str(run)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ndcg@10"], told["recall@5"], told["mrr@10"], told["queries"]) == (0.75, 0.75, 0.75, 4)
    assert told["seconds"] > 0
    ranked = json.loads(run.read_text())
    assert (ranked["q0"][:2], ranked["q1"][0], ranked["q2"][0]) == (["restart", "again"], "coffee", "titled")
    assert ranked["q4"] == []
    assert set(ranked) == {"q0", "q1", "q2", "q3", "q4"}


def test_a_folder_without_judged_data_ends_with_a_plain_line(tmp_path, capsys):
    assert main(["evaluate", "retrieval", "--data", str(tmp_path)]) == 1
    assert "names a folder with three files" in capsys.readouterr().err
