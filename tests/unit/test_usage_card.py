import pytest

from bot.cards import draw
from bot.sandbox.slack.blockkit import judge_blocks
from commands.help import HelpCommand
from pipelines.errors import Refused
from pipelines.people import Person, Role
from pipelines.requests import TypedCommand
from pipelines.usage import DailyBudget, FeatureUsage, UsageReport

ASK = FeatureUsage("ask", 12, 1, 24_000, 1_800, 0.0123, 18.0)
TRIAGE = FeatureUsage("triage", 3, 0, 90_000, 2_400, 1.5, 9.0)
BUDGET = DailyBudget(500_000, 2_000_000, 1.25, 5.0)


def report(**changes: object) -> UsageReport:
    values: dict[str, object] = {
        "models": ("openai gpt-4o-mini", "gemini gemini-3.5-flash-lite"), "today": (ASK,), "recent": (TRIAGE, ASK),
        "days": 7, "budget": BUDGET,
    }  # fmt: skip
    return UsageReport(**(values | changes))  # type: ignore[arg-type]


def shown(value: UsageReport) -> str:
    card = draw(value)
    assert judge_blocks(list(card.blocks), "message") == []
    return str(card.blocks)


def test_it_shows_today_the_week_and_what_is_left() -> None:
    text = shown(report())
    assert "Asked: openai gpt-4o-mini, then gemini gemini-3.5-flash-lite" in text
    assert "25% of today's 2,000,000 tokens, 1,500,000 are left" in text
    assert "25% of today's $5.00, $3.75 are left" in text
    rows = draw(report()).blocks[1]["rows"]
    cells = [[cell["text"] for cell in row] for row in rows]
    assert cells[1] == ["triage", "0", "0", "$0.00", "3", "0", "92,400", "3.0", "$1.50"]
    assert cells[3] == ["together", "12", "25,800", "$0.0123", "15", "1", "118,200", "1.8", "$1.51"]


def test_without_a_model_it_says_so_in_one_line() -> None:
    text = shown(report(models=(), today=(), recent=(), budget=DailyBudget(0, 0, 0, 0)))
    assert "No language model is configured" in text


def test_a_budget_that_is_used_up_is_said() -> None:
    assert "used up" in shown(report(budget=DailyBudget(2_100_000, 2_000_000, 0, 0)))
    assert "No daily limit is set." in shown(report(budget=DailyBudget(2_100_000, 0, 9, 0)))


def test_many_features_fit_into_one_table() -> None:
    many = tuple(FeatureUsage(f"feature-{number}", 1) for number in range(200))
    assert "feature-0" in shown(report(today=many, recent=many))


class Books:
    def report(self, days: int = 7) -> UsageReport:
        return report(days=days)


def typed(text: str) -> object:
    person = Person("U1", "Vera", Role.VIEWER)
    return HelpCommand((), Books())(TypedCommand("/shipmate", text, person, "C1"))


def test_the_word_usage_leads_there() -> None:
    assert isinstance(typed(" Usage "), UsageReport)


def test_a_slip_is_helped_with() -> None:
    with pytest.raises(Refused, match="Did you mean `/shipmate usage`"):
        typed("usag")
