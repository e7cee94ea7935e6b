"""/shipmate usage."""

from collections.abc import Iterator, Sequence

from bot.cards.blocks import Card, context, escape, progress_bar, section, table
from bot.cards.drawing import draw
from pipelines.usage import DailyBudget, FeatureUsage, UsageReport

MOST_FEATURES = 30
NONE = FeatureUsage("")


@draw.register
def _usage(report: UsageReport) -> Card:
    if not report.models and not report.recent:
        text = "No language model is configured: reports come from signatures, statistics and extraction."
        return Card(text, (section(text), context("Set `OPENAI_API_KEY` or `GEMINI_API_KEY` to have them worded.")))
    asked = ", then ".join(escape(model) for model in report.models) or "none any more"
    lines = ["*What language models were used for*", f"Asked: {asked}", *_budget(report.budget)]
    used = [table(list(_rows(report)))] if report.recent else [section("Nothing was asked yet.")]
    return Card(
        f"Language models: {dollars(sum(usage.cost_dollars for usage in report.today))} today",
        (
            section("\n".join(lines)),
            *used,
            context("Costs are computed from tokens and a list of prices; what your provider bills, counts."),
        ),
    )


def _rows(report: UsageReport) -> Iterator[Sequence[str]]:
    """The head, the most expensive features, and all together; a message holds one table."""
    past = f"{report.days} days"
    yield ("Feature", "Today", "tokens", "cost", past, "failed", "tokens", "seconds each", "cost")
    today = {usage.feature: usage for usage in report.today}
    for usage in report.recent[:MOST_FEATURES]:
        yield _row(usage.feature, today.get(usage.feature, NONE), usage)
    yield _row("together", _sum(report.today), _sum(report.recent))


def _row(title: str, today: FeatureUsage, recent: FeatureUsage) -> Sequence[str]:
    average = f"{recent.seconds / recent.calls:.1f}" if recent.calls else ""
    return (
        title, f"{today.calls:,}", f"{today.tokens:,}", dollars(today.cost_dollars), f"{recent.calls:,}",
        f"{recent.failures:,}", f"{recent.tokens:,}", average, dollars(recent.cost_dollars),
    )  # fmt: skip


def _sum(usages: Sequence[FeatureUsage]) -> FeatureUsage:
    return FeatureUsage(
        "together", sum(each.calls for each in usages), sum(each.failures for each in usages),
        sum(each.input_tokens for each in usages), sum(each.output_tokens for each in usages),
        sum(each.cost_dollars for each in usages), sum(each.seconds for each in usages),
    )  # fmt: skip


def _budget(budget: DailyBudget) -> Iterator[str]:
    if budget.tokens_limit:
        bar = progress_bar(budget.tokens_used / budget.tokens_limit)
        left = max(0, budget.tokens_limit - budget.tokens_used)
        yield f"{bar} of today's {budget.tokens_limit:,} tokens, {left:,} are left"
    if budget.dollars_limit:
        bar = progress_bar(budget.dollars_used / budget.dollars_limit)
        left_dollars = max(0.0, budget.dollars_limit - budget.dollars_used)
        yield f"{bar} of today's {dollars(budget.dollars_limit)}, {dollars(left_dollars)} are left"
    if not budget.tokens_limit and not budget.dollars_limit:
        yield "No daily limit is set."
    if budget.used_up:
        yield ":warning: The budget is used up. Until midnight UTC reports are written without a language model."


def dollars(amount: float) -> str:
    """With hundredths of a cent where it is less than a dollar."""
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.4f}"
