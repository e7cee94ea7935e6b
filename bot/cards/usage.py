"""/shipmate usage."""

from collections.abc import Sequence

from bot.cards.blocks import Block, Card, context, escape, progress_bar, section, table
from bot.cards.drawing import draw
from pipelines.usage import DailyBudget, FeatureUsage, UsageReport

HEADINGS = ("Feature", "Calls", "Failed", "Tokens in", "Tokens out", "Seconds a call", "Cost")
MOST_FEATURES = 12


@draw.register
def _usage(report: UsageReport) -> Card:
    if not report.models and not report.recent:
        text = "No language model is configured: reports are written from signatures, statistics and extraction."
        return Card(text, (section(text), context("Set `OPENAI_API_KEY` or `GEMINI_API_KEY` to have them worded.")))
    asked = ", then ".join(escape(model) for model in report.models) or "none any more"
    lines = [f"*What language models were used for*\nAsked: {asked}", _budget(report.budget)]
    return Card(
        f"Language models: {dollars(sum(usage.cost_dollars for usage in report.today))} today",
        (
            section("\n".join(lines)),
            *_part("Today (UTC)", report.today),
            *_part(f"Last {report.days} days", report.recent),
            context("Costs are computed from the tokens and a list of prices; your provider's bill counts."),
        ),
    )


def _part(title: str, usages: Sequence[FeatureUsage]) -> list[Block]:
    if not usages:
        return [section(f"*{title}*: nothing yet.")]
    shown = list(usages[:MOST_FEATURES])
    rows = [HEADINGS, *(_row(usage) for usage in shown), _row(_sum(usages))]
    return [section(f"*{title}*"), table(rows)]


def _row(usage: FeatureUsage) -> tuple[str, ...]:
    average = f"{usage.seconds / usage.calls:.1f}" if usage.calls else ""
    return (
        usage.feature, f"{usage.calls:,}", f"{usage.failures:,}", f"{usage.input_tokens:,}",
        f"{usage.output_tokens:,}", average, dollars(usage.cost_dollars),
    )  # fmt: skip


def _sum(usages: Sequence[FeatureUsage]) -> FeatureUsage:
    return FeatureUsage(
        "together", sum(each.calls for each in usages), sum(each.failures for each in usages),
        sum(each.input_tokens for each in usages), sum(each.output_tokens for each in usages),
        sum(each.cost_dollars for each in usages), sum(each.seconds for each in usages),
    )  # fmt: skip


def _budget(budget: DailyBudget) -> str:
    lines = []
    if budget.tokens_limit:
        bar = progress_bar(budget.tokens_used / budget.tokens_limit)
        lines.append(f"{bar} of {budget.tokens_limit:,} tokens today")
    if budget.dollars_limit:
        bar = progress_bar(budget.dollars_used / budget.dollars_limit)
        lines.append(f"{bar} of {dollars(budget.dollars_limit)} today")
    if budget.used_up:
        lines.append(":warning: The budget is used up; until midnight UTC reports are written without a model.")
    return "\n".join(lines) or "No daily limit is set."


def dollars(amount: float) -> str:
    """With a tenth of a cent where it is less than a dollar."""
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.4f}"
