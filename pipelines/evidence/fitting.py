"""An extract whose lines grew after it was packed, as those do that secrets were taken out of, in its budget again."""

from collections.abc import Collection
from dataclasses import replace

from pipelines.evidence.tokens import count_tokens
from pipelines.evidence.values import Extract, Line


def fitted(extract: Extract, cited: Collection[tuple[int, int]], budget_tokens: int) -> Extract:
    """Without the last lines of the blocks that matter least; what is `cited`, by (source, number), goes last of all.

    Beyond the budget only where its single last line is.
    """
    extract = replace(extract, tokens=count_tokens(extract.text))
    by_worth = sorted(extract.blocks, key=lambda block: block.score)
    order = [line for block in by_worth for line in reversed(block.lines)]
    order.sort(key=lambda line: (line.source, line.number) in cited)  # stable: the rest keeps its order
    while extract.tokens > budget_tokens and len(order) > 1:
        excess, gone = extract.tokens - budget_tokens, set[Line]()
        while excess > 0 and len(order) > 1:
            gone.add(line := order.pop(0))
            excess -= count_tokens(line.text) + 1  # and the line feed; its number is counted by the next turn
        blocks = (
            replace(block, lines=tuple(line for line in block.lines if line not in gone)) for block in extract.blocks
        )
        extract = replace(extract, blocks=tuple(block for block in blocks if block.lines))
        extract = replace(extract, tokens=count_tokens(extract.text))
    return extract
