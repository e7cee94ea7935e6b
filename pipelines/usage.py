"""What language models were used for and what they cost. All values are frozen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeatureUsage:
    """The calls of one feature over some days. `failures` are among `calls`; `seconds` is their time together."""

    feature: str
    calls: int = 0
    failures: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_dollars: float = 0.0
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class DailyBudget:
    """Of a day in UTC. A limit of 0 stands for none. What runs at the moment counts as used at its estimate."""

    tokens_used: int
    tokens_limit: int
    dollars_used: float
    dollars_limit: float

    @property
    def used_up(self) -> bool:
        tokens = self.tokens_limit > 0 and self.tokens_used >= self.tokens_limit
        return tokens or (self.dollars_limit > 0 and self.dollars_used >= self.dollars_limit)


@dataclass(frozen=True, slots=True)
class UsageReport:
    """`models` are those that are asked, in their order ("openai gpt-4o-mini"); empty where none is configured.

    `recent` covers the last `days` days, today among them. Both are sorted, the most expensive feature first.
    """

    models: tuple[str, ...]
    today: tuple[FeatureUsage, ...]
    recent: tuple[FeatureUsage, ...]
    days: int
    budget: DailyBudget
