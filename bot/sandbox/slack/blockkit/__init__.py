"""Judges Block Kit documents the way Slack does. The rules are tables; schema.py reads them."""

from bot.sandbox.slack.blockkit.judge import judge_attachments, judge_blocks, judge_view
from bot.sandbox.slack.blockkit.schema import Complaint

__all__ = ["Complaint", "judge_attachments", "judge_blocks", "judge_view"]
