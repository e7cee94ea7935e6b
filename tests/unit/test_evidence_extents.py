"""Whole blocks: where they end is learned, and what most probably holds one is worth most for its tokens."""

from pathlib import Path

import numpy
import pytest

from bot.evaluation import ends_training
from pipelines.evidence.analysing import analyse
from pipelines.evidence.extents import AROUND, Ends, ends, stretches
from pipelines.evidence.features import edges, looks, matrix, names
from pipelines.evidence.lines import Window, table
from pipelines.evidence.packing import Packer
from pipelines.evidence.ranker import Weights, load, save, shipped
from pipelines.evidence.reading import Options, read

FEW = b"".join(b"error: step %d of the build went wrong\n" % number for number in range(40))


def chain(count: int, blocks: list[tuple[int, int]]) -> Ends:
    """Ends of rows of which it is known for sure where their blocks begin and end."""
    below, above = numpy.full(count, 0.02, numpy.float32), numpy.full(count, 0.02, numpy.float32)
    for first, last in blocks:
        below[first:last] = 0.98
        above[first + 1 : last + 1] = 0.98
    return Ends(below, above)


def test_a_block_is_taken_from_its_first_row_to_its_last_though_one_row_is_likelier() -> None:
    probability = numpy.full(300, 1e-5, numpy.float32)
    probability[100:121] = 0.5
    probability[120] = 0.9
    assert stretches(probability, chain(300, [(100, 120)]), [120], lambda _: 10, 2_000)[0] == (100, 120)


def test_the_likelier_of_two_blocks_comes_first_and_what_is_cheap_before_what_is_dear() -> None:
    probability = numpy.full(600, 1e-5, numpy.float32)
    probability[100:111], probability[400:411] = 0.3, 0.9
    found = chain(600, [(100, 110), (400, 410)])
    assert stretches(probability, found, [105, 405], lambda _: 10, 2_000)[:2] == [(400, 410), (100, 110)]
    dear = stretches(probability, found, [105, 405], lambda row: 200 if row > 300 else 10, 5_000)
    assert dear[0] == (100, 110)


@pytest.mark.parametrize("limit", [0, 5, 35, 400])
def test_what_is_taken_never_costs_more_than_the_limit(limit: int) -> None:
    probability = numpy.linspace(0, 1, 200, dtype=numpy.float32)
    chosen = stretches(probability, chain(200, [(50, 80), (120, 190)]), [190, 60, 10], lambda _: 10, limit)
    rows = {row for first, last in chosen for row in range(first, last + 1)}
    assert 10 * len(rows) <= limit


def test_what_was_taken_before_costs_nothing_so_that_a_block_that_was_begun_is_completed() -> None:
    probability = numpy.full(400, 1e-5, numpy.float32)
    probability[100:111], probability[300:311] = 0.5, 0.5
    found = chain(400, [(100, 110), (300, 310)])
    begun = stretches(probability, found, [105, 305], lambda row: 0 if 300 <= row < 308 else 10, 40)
    assert begun[0] == (300, 310)


def test_no_likely_row_no_block_and_no_lines_no_ends() -> None:
    nothing = numpy.zeros(50, numpy.float32)
    assert stretches(nothing, chain(50, []), range(50), lambda _: 10, 500) == []
    assert len(ends(numpy.zeros((0, len(names()))), numpy.zeros(0, numpy.float32), shipped()).below) == 0
    assert analyse([("empty.log", b"")]).extract.blocks == ()


def test_ends_are_asked_for_near_likely_rows_only_and_are_probabilities() -> None:
    held = table(FEW * 20, [Window(0, len(FEW) * 20, 1)], 800)
    probability = numpy.zeros(len(held), numpy.float32)
    probability[400] = 0.9
    found = ends(matrix(held, looks(held)), probability, shipped())
    assert (found.below[400 - AROUND : 401 + AROUND] > 0).all()
    assert not found.below[: 400 - AROUND].any()
    assert not found.above[402 + AROUND :].any()
    assert max(found.below.max(), found.above.max()) <= 1


def test_a_whole_block_is_shown_though_its_lines_were_shown_elsewhere() -> None:
    held = table(FEW, [Window(0, len(FEW), 1)], 40)
    packer = Packer(held, [0] * 40, [30] * 40, [40] * 40, 2_000)
    packer.fill([30, 33, 36], 1.0, "marked")
    assert packer.price(30) == 0 < packer.price(5)
    packer.fill_whole(2, 9, 2_000, "learned")
    assert packer.taken_by("learned") == list(range(2, 10))
    packer.fill_whole(10, 39, 2_000, "learned")
    assert len(packer.taken) == 12  # a dozen copies are enough


def test_ends_are_learned_from_blocks_and_survive_being_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of four rows: a heading, two indented rows, a last one that is a rule."""
    block = b"Failure:\n  expected this\n  but was that\n========\nall is fine here\nnothing to see\n"
    monkeypatch.setattr(ends_training, "TREES", 8)
    content = block * 60
    held = table(content, [Window(0, len(content), 1)], 360)
    features, marked = matrix(held, looks(held)), numpy.arange(360) % 6 < 4
    below, above = ends_training.trained_ends([(features, marked)] * 4)
    between = edges(features, numpy.arange(180, 186))
    assert below.score(between)[:3].min() > below.score(between)[3]
    assert above.score(between)[:3].min() > above.score(between)[5]
    file = tmp_path / "weights.npz"
    save(Weights(shipped().lines, below, above), file)
    assert numpy.allclose(load(file).below.score(between), below.score(between))


def test_a_reading_knows_the_ends_of_its_blocks() -> None:
    found = read(FEW, Options())
    assert len(found.ends.below) == len(found.ends.above) == len(found.lines)
