"""The two kinds of failure that a person is told about in words of their own."""


class Refused(Exception):
    """What was asked will not be done; the text says what happened and what to type next."""


class Unavailable(Exception):
    """Something we depend on did not answer; asking again later may help.

    `service` names it as a person would ("MLflow", "Slack"), `reason` is one plain sentence.
    """

    def __init__(self, service: str, reason: str, retry_after_seconds: float | None = None) -> None:
        # All three go to `args`, so that a durable step can store this error and raise it again.
        super().__init__(service, reason, retry_after_seconds)
        self.service = service
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return f"{self.service}: {self.reason}"
