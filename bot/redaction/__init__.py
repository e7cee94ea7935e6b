"""The one choke point: nothing leaves for Slack, a log, GitHub or a language model without passing here."""

from bot.redaction.redactor import Finding, Redacted, Redactor
from bot.redaction.spans import find_secrets

__all__ = ["Finding", "Redacted", "Redactor", "find_secrets"]
