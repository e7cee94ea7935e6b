"""Several rankings become one, and names give up their parts."""

import pytest

from pipelines.ask.fusion import fuse
from pipelines.ask.words import search_words


def test_what_both_lists_name_comes_first():
    assert fuse([[("a", 0), ("b", 0)], [("c", 0), ("b", 0)]])[0][0] == ("b", 0)


def test_scores_are_those_of_the_paper():
    scores = dict(fuse([[("a", 0), ("b", 0)], [("b", 0)]]))
    assert scores == {("b", 0): pytest.approx(1 / 12 + 1 / 11), ("a", 0): pytest.approx(1 / 11)}


def test_a_document_is_found_by_different_passages():
    ranked = fuse([[("a", 0), ("b", 3)], [("c", 0), ("b", 7)]])
    assert ranked[0][0][0] == "b"


def test_further_passages_of_a_document_count_less():
    ranked = fuse([[("a", 0), ("a", 1), ("b", 0)]])
    assert [key for key, _ in ranked] == [("a", 0), ("b", 0), ("a", 1)]
    assert ranked[2][1] == pytest.approx(0.85 / 11)


def test_a_passage_that_a_list_names_twice_counts_once():
    assert fuse([[("a", 0), ("a", 0), ("b", 0)]]) == fuse([[("a", 0), ("b", 0)]])


def test_nothing_gives_nothing():
    assert fuse([]) == fuse([[], []]) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("KubePodCrashLooping", "kube pod crash looping kubepodcrashlooping"),
        ("HTTPServer2xx", "http server 2 xx httpserver2xx"),
        ("node_load_average", "node load average"),
        ("Restart THE server!", "restart the server"),
        ("naïve Größe 你好", "naïve größe 你好"),
        ("", ""),
        ("x" * 5_000, "x" * 5_000),
    ],
)
def test_names_give_their_parts(text, words):
    assert search_words(text) == words
