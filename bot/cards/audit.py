"""/audit."""

from collections.abc import Iterator, Mapping
from itertools import islice

from bot.cards.blocks import Card, context, escape, moment, plain, section
from bot.cards.drawing import draw
from bot.cards.inert import inert_words
from pipelines.audit import AuditPage, AuditRow

NAME, WORDS = 80, 120
MOST_TOLD = 2
# A section holds 3,000 characters.
LINES_A_SECTION = 3
# What people said or chose; the rest of a row's detail is for whoever checks the chain.
TOLD = {"span": "for", "reason": "because", "said": "saying", "note": "noting"}


@draw.register
def _page(page: AuditPage) -> Card:
    about = f" about “{inert_words(page.about, NAME)}”" if page.about else ""
    if not page.rows:
        text = f"Nobody has done anything{about} yet that stands in the audit trail."
        return Card(plain(text), (section(text),))
    lead = f"*Who did what{about}*, newest first"
    lines = [_line(row) for row in page.rows]
    parts = [lines[start : start + LINES_A_SECTION] for start in range(0, len(lines), LINES_A_SECTION)]
    foot = "`shipmate audit show --json` has all of it; `shipmate audit verify` checks that nobody changed it."
    return Card(plain(lead), (section(lead), *(section("\n".join(part)) for part in parts), context(foot)))


def _line(row: AuditRow) -> str:
    entry = row.entry
    about = "".join(f" {part}" for part in islice(_told(entry.detail), MOST_TOLD))
    who, what = inert_words(entry.actor, NAME), escape(entry.action)
    return f"{row.number} · {moment(entry.at)} · *{who}* · {what} · {inert_words(entry.subject, NAME)}{about}"


def _told(detail: Mapping[str, object]) -> Iterator[str]:
    for key, word in TOLD.items():
        if said := str(detail.get(key) or ""):
            yield f"{word} “{inert_words(said, WORDS)}”"
