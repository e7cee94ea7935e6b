"""The prompts of /ask. Passages are the blocks 1, 2, 3 …, so that a block's number is the citation's."""

from collections.abc import Sequence

from pipelines.ask.questions import Question
from pipelines.ask.values import Passage
from pipelines.prompts import Block, Prompt, build_prompt

FEATURE = "ask"


def answer(question: str, passages: Sequence[Passage]) -> Prompt:
    return build_prompt(FEATURE, "answer", _blocks(question, passages))


def answer_streamed(question: str, passages: Sequence[Passage]) -> Prompt:
    return build_prompt(FEATURE, "answer_streamed", _blocks(question, passages))


def follow_up(question: str, before: Sequence[Question]) -> Prompt:
    said = [block for one in before for block in (Block("asked before", one.text), Block("answered", _answer(one)))]
    return build_prompt(FEATURE, "follow_up", [*said, Block("the last question", question)])


def _answer(question: Question) -> str:
    return question.answer.text if question.answer and question.answer.text else "(nothing was found)"


def _blocks(question: str, passages: Sequence[Passage]) -> list[Block]:
    blocks = [Block(f"passage of {_where(passage)}", passage.chunk.text) for passage in passages]
    return [*blocks, Block("the question", question)]


def _where(passage: Passage) -> str:
    return " > ".join(dict.fromkeys((passage.document.title, *passage.chunk.headings)))
