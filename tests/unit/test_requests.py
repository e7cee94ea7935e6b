"""The words of a command, split."""

import pytest

from pipelines.errors import Refused
from pipelines.requests import parse_arguments

USAGE = "/retrain MODEL [data=URL] [note=WORDS]"


def parse(text: str):
    return parse_arguments(text, names=("data", "note"), prose="note", usage=USAGE)


def test_words_and_named_values_come_apart():
    asked = parse("churn data=s3://bucket/may.csv note=prices changed in May")
    assert asked.words == ("churn",)
    assert asked.named == {"data": "s3://bucket/may.csv", "note": "prices changed in May"}


def test_prose_may_hold_an_equals_sign():
    assert parse("churn note=with lr=0.1 please").named["note"] == "with lr=0.1 please"


def test_a_name_behind_prose_is_still_a_name():
    assert parse("churn note=hello there data=x.csv").named == {"note": "hello there", "data": "x.csv"}


@pytest.mark.parametrize("text", ["churn dat=x.csv", "dat=x churn"])
def test_an_unknown_name_is_refused_with_the_usage(text):
    with pytest.raises(Refused, match=r"dat=.*Usage"):
        parse(text)


def test_a_name_given_twice_is_refused():
    with pytest.raises(Refused, match="twice"):
        parse("churn data=a data=b")


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_nothing_typed_is_no_words(text):
    assert parse(text).words == ()


def test_typographic_quotes_of_phones_are_taken_off():
    assert parse("churn note=“new prices”").named["note"] == "new prices"


def test_a_huge_text_is_split_without_trouble():
    assert len(parse("x " * 20_000).words) == 20_000
