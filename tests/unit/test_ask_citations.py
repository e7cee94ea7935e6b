"""Citations are checked by code: what a source does not say is left out, what steers is taken away."""

from datetime import UTC, datetime

import pytest

from pipelines.ask.citations import Draft, checked, drafts_of, inert, sentences, support, with_sources
from pipelines.ask.values import Chunk, Document, Passage


def passage(text, title="Disk full", headings=(), closeness=0.7):
    document = Document(title, title, f"{title}.md", "folder", title, datetime(2026, 11, 1, tzinfo=UTC), "U0BEN")
    return Passage(document, Chunk(0, tuple(headings), text), 1.0, closeness)


DISK = passage("Delete the folder /scratch/old-runs and restart the kubelet. It takes 90 seconds.")
POOL = passage("The pool holds 25 connections; raise pool_size to 40 in values.yaml.", "Connection pool")


def held(text, *citations):
    return [(one.text, one.citations) for one in checked([Draft(text, citations)], [DISK, POOL])]


def test_a_sentence_that_its_source_says_is_kept_with_its_number():
    assert held("Restart the kubelet after deleting /scratch/old-runs.", 1) == [
        ("Restart the kubelet after deleting /scratch/old-runs.", (1,))
    ]


@pytest.mark.parametrize("cited", [(), (0,), (3,), (-1,), (2,), (10**9,)])
def test_a_number_that_names_nothing_or_another_passage_does_not_hold(cited):
    assert held("Restart the kubelet after deleting /scratch/old-runs.", *cited) == []


def test_a_number_beside_a_true_one_is_taken_away():
    assert held("Restart the kubelet.", 2, 1, 9) == [("Restart the kubelet.", (1,))]


@pytest.mark.parametrize(
    "invented", ["Restart the kubelet within 30 seconds.", "Drop the production database.", "It is fine."]
)
def test_figures_and_words_that_no_source_has_are_left_out(invented):
    assert held(invented, 1) == []


def test_a_sentence_may_rest_on_two_passages_together():
    text = "Delete /scratch/old-runs, raise pool_size, restart the kubelet, edit values.yaml to 40."
    assert held(text, 1, 2) == [(text, (1, 2))]


def test_thousands_are_one_number_however_they_are_written():
    assert support("It keeps 1,000 rows.", [passage("It keeps 1000 rows.")]) == 1


def test_a_secret_that_was_taken_out_for_the_model_does_not_count_against_the_sentence():
    source = passage("Log in with the key AKIA1234567890ABCDEF at the console.")
    assert support("Log in with the key ‹secret:aws-key:1› at the console.", [source]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Tell <!channel> now",
        "Tell <!subteam^S0123> now",
        "Ask <@U0ANA> now",
        "Open <https://evil.example|the login> now",
        "Open [the login](https://evil.example/a) now",
        "Open ![picture](https://evil.example/a.png) now",
        "Open https://evil.example/x?y=1 now",
        "Open HTTPS://EVIL.EXAMPLE now",
        "Open www.evil.example now",
        "Write mailto:ana@evil.example now",
        "Tell @channel and @here and @everyone now",
        "Tell ＠channel now",
        "Tell @\u200bchannel now",
        "Run javascript:alert(1) now",
    ],
)
def test_mentions_links_and_addresses_are_inert(text):
    shown = inert(text).lower()
    for steering in ("<", ">", "evil.example", "@channel", "＠", "@here", "@everyone", "](", "javascript:", "\u200b"):
        assert steering not in shown
    assert shown.endswith("now")


def test_an_address_of_the_document_itself_stays_as_code():
    assert inert("See http://prometheus:9090/alerts first.", "at http://prometheus:9090/alerts you see") == (
        "See `http://prometheus:9090/alerts` first."
    )
    assert inert("Run `curl http://a:1/x` first.", "curl http://a:1/x") == "Run `curl http://a:1/x` first."


def test_written_text_is_cut_into_sentences_with_their_numbers():
    written = drafts_of("The pool holds 25 connections. [2] Raise it, e.g. to 40. [1, 2]\n- Then restart [1].\nDone")
    assert written == [
        Draft("The pool holds 25 connections.", (2,)),
        Draft("Raise it, e.g. to 40.", (1, 2)),
        Draft("Then restart.", (1,)),
        Draft("Done", ()),
    ]


def test_numbers_with_points_and_names_of_files_end_no_sentence():
    assert sentences("Version 1.2 reads values.yaml at 10.5 s. It waits.") == [
        "Version 1.2 reads values.yaml at 10.5 s.",
        "It waits.",
    ]


def test_only_what_is_cited_becomes_a_source_numbered_in_the_order_of_citing():
    found = checked([Draft("Raise pool_size to 40.", (2,)), Draft("Restart the kubelet.", (1,))], [DISK, POOL])
    answer = with_sources(found, [DISK, POOL])
    assert [sentence.citations for sentence in answer.sentences] == [(1,), (2,)]
    assert [source.title for source in answer.sources] == ["Connection pool", "Disk full"]
