"""Chunks: along headings, no longer than the window, code and tables whole, nothing lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ask.chunks import Window, count_words, split
from pipelines.ask.markdown import title_of

PAGE = """---
title: Rollback
owner: ana
---
# Rollback

Do this when the new version is worse.

## Steps

1. Find the last good version.
2. Move the alias.

### By hand

```sh
# not a heading
mlflow models set-alias champion 7
```

After
-----
Tell the channel.
"""


def words(count: int, start: int = 0) -> str:
    return " ".join(f"w{number}" for number in range(start, start + count))


def test_chunks_follow_the_headings_and_know_their_lines():
    assert [(chunk.headings, chunk.first_line, chunk.last_line) for chunk in split(PAGE, "Rollback")] == [
        (("Rollback",), 7, 7),
        (("Rollback", "Steps"), 11, 12),
        (("Rollback", "Steps", "By hand"), 16, 19),
        (("Rollback", "After"), 23, 23),
    ]
    lines = PAGE.split("\n")
    for chunk in split(PAGE, "Rollback"):
        assert chunk.text.split("\n")[0] in lines[chunk.first_line - 1]
        assert chunk.text.split("\n")[-1] in lines[chunk.last_line - 1]


def test_the_title_stands_first_and_only_once():
    assert split("# Other\n\ntext", "Title")[0].headings == ("Title", "Other")
    assert split("# title\n\ntext", "Title")[0].headings == ("Title",)
    assert split("# Other\n\ntext", "")[0].headings == ("Other",)


def test_windows_overlap():
    chunks = split(words(400), "", Window(180, 30))
    assert [count_words(chunk.text) for chunk in chunks] == [180, 180, 100]
    assert chunks[1].text.split()[:30] == chunks[0].text.split()[-30:]
    assert [chunk.number for chunk in chunks] == [0, 1, 2]


def test_a_window_ends_after_a_sentence_where_one_is_near():
    chunks = split(f"{words(150)}. {words(100, 150)}", "")
    assert chunks[0].text.endswith("w149.")


@pytest.mark.parametrize("fence", ["```", "~~~~"])
def test_code_stays_whole_where_it_fits(fence):
    code = f"{fence}sh\n" + "\n".join(f"line {number} of code" for number in range(25)) + f"\n{fence}"
    chunks = split(f"{words(120)}\n\n{code}\n\n{words(100, 500)}", "")
    assert sum(code in chunk.text for chunk in chunks) == 1
    assert not any("line 3 of code" in chunk.text and code not in chunk.text for chunk in chunks)


def test_a_table_stays_whole_where_it_fits():
    table = "| a | b |\n|---|---|\n" + "\n".join(f"| cell {number} | x |" for number in range(20))
    chunks = split(f"{words(150)}\n\n{table}\n\n{words(100, 500)}", "")
    assert any(table in chunk.text for chunk in chunks)


def test_code_longer_than_the_window_is_cut_between_lines():
    lines = [f"line {number} of a very long listing" for number in range(100)]
    chunks = split("```\n" + "\n".join(lines) + "\n```", "")
    assert all(line in lines for chunk in chunks for line in chunk.text.split("\n") if "```" not in line)


def test_headings_inside_code_are_none():
    assert [chunk.headings for chunk in split("# A\n\n```\n# B\n```\n\nafter", "")] == [("A",)]


def test_deep_headings_keep_their_path():
    text = "\n\n".join(f"{'#' * level} H{level}\n\ntext {level}" for level in range(1, 9))
    assert split(text, "T")[-1].headings == ("T", *(f"H{level}" for level in range(1, 9)))


def test_a_heading_loses_its_markup():
    assert split("# See [the `guide`](http://x) **now** {#anchor}\n\ntext", "")[0].headings == ("See the guide now",)


@pytest.mark.parametrize("text", ["", "  \n\n ", "---\na: b\n---\n"])
def test_nothing_gives_nothing(text):
    assert split(text, "") == ()


def test_a_title_alone_and_headings_alone_are_found_too():
    assert [chunk.text for chunk in split("", "KubePodCrashLooping")] == ["KubePodCrashLooping"]
    assert [chunk.text for chunk in split("# One\n## Two\n## Three\n\ntext", "")] == ["## Two", "text"]


def test_one_line_of_ten_megabytes_is_cut_up():
    for text in ("x" * 10_000_000, "word " * 2_000_000, "你" * 3_000_000):
        chunks = split(text, "T")
        assert max(len(chunk.text) for chunk in chunks) <= 180 * 41
        assert {(chunk.first_line, chunk.last_line) for chunk in chunks} == {(1, 1)}


def test_front_matter_without_an_end_is_text():
    assert split("---\nnot: closed\n\nbody", "")[0].text.startswith("---")


def test_a_window_must_be_longer_than_its_overlap():
    with pytest.raises(ValueError, match="does not fit"):
        Window(30, 30)


def test_titles_are_found():
    assert title_of("---\nTitle: 'On call'\n---\n# X") == "On call"
    assert title_of("text\n\n## Second level") == "Second level"
    assert title_of("```\n# code\n```\ntext") == ""


@given(
    st.lists(
        st.sampled_from(
            ["# H", "## H2", "```", "| a |", "text of some words", "", "---", "~~~", "- item", "x" * 300, "é 你"]
        ),
        max_size=60,
    ),
    st.integers(2, 40),
)
def test_no_word_is_lost_and_no_chunk_is_too_long(lines, size):
    text = "\n".join(lines)
    chunks = split(text, "", Window(size, size // 3))
    together = " ".join(" ".join([*chunk.headings, chunk.text]) for chunk in chunks)
    for word in re.findall(r"\w+", text):
        assert word[:40] in together
    if any("text" in line for line in lines):
        assert max(count_words(chunk.text) for chunk in chunks) <= max(size, 3)
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
