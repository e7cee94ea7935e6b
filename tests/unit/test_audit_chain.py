"""The audit chain shows every kind of tampering."""

from dataclasses import replace
from datetime import UTC, datetime

from pipelines.audit import GENESIS, AuditEntry, AuditRow, chain_hash, faults


def chain(length: int) -> list[AuditRow]:
    rows, previous = [], GENESIS
    for number in range(1, length + 1):
        entry = AuditEntry(datetime(2026, 1, number, tzinfo=UTC), "Ana", "retrain approved", "churn", {"n": number})
        row = AuditRow(number, entry, previous, chain_hash(number, entry, previous))
        rows.append(row)
        previous = row.hash
    return rows


def test_a_whole_chain_has_no_faults():
    assert faults(chain(5)) == []
    assert faults([]) == []


def test_a_changed_row_is_found():
    rows = chain(5)
    rows[2] = replace(rows[2], entry=replace(rows[2].entry, actor="Mallory"))
    assert faults(rows) == ["Row 3 was changed after it was written."]


def test_a_removed_row_is_found():
    rows = chain(5)
    del rows[1]
    assert any("missing" in fault for fault in faults(rows))


def test_a_rewritten_row_breaks_the_link_to_the_next():
    rows = chain(5)
    forged = replace(rows[2].entry, actor="Mallory")
    rows[2] = replace(rows[2], entry=forged, hash=chain_hash(3, forged, rows[2].previous_hash))
    assert faults(rows) == ["Row 4 does not follow the row before it."]


def test_two_rows_swapped_are_found():
    rows = chain(4)
    rows[1], rows[2] = rows[2], rows[1]
    assert faults(rows)
