"""Where a triage is asked for: judges what was typed or told, and starts the work."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipelines.errors import Refused
from pipelines.people import Person
from pipelines.ports import Clock, Conversation
from pipelines.triage.events import CheckRunEvent, WorkflowRunEvent, run_of_url
from pipelines.triage.findings import TriageOrder, TriageStarted
from pipelines.triage.heard import heard
from pipelines.triage.hearing import HearingWorkflow
from pipelines.triage.values import RunReference
from pipelines.triage.workflow import TriageWorkflow

# GitHub's numbers fit into 64 bits.
LARGEST_NUMBER = 2**63
_PATH = re.compile(r"/[\w.-]+/[\w.-]+/actions/runs/[0-9]{1,19}(/|$)", re.ASCII)


@dataclass(frozen=True, slots=True)
class TriageDesk:
    """`web` is where people read runs, such as https://github.com; `configured` whether there is a token."""

    workflow: TriageWorkflow
    hearing: HearingWorkflow
    conversation: Conversation
    clock: Clock
    web: str
    configured: bool

    def order(self, person: Person, channel: str, url: str) -> TriageStarted:
        """Have the run at this address looked at and reported in `channel`; GitHub is not asked before we return."""
        if not self.configured:
            raise Refused("I have no GitHub token, so I see no runs. Set `GITHUB_TOKEN` and start me again.")
        reference = self._reference(url)
        if not self.conversation.reaches(channel):
            raise Refused(
                "I am not in this channel, so I cannot report here. Type `/invite @shipmate`, then try again."
            )
        order = TriageOrder(reference, channel, person.id, self.clock.now())
        self.workflow.begin(order)
        return TriageStarted(order.name)

    def hear(self, event: WorkflowRunEvent | CheckRunEvent) -> bool:
        """What GitHub itself tells of; False where no report follows from it."""
        told = heard(event, self.clock.now())
        return bool(self.configured and told and self.hearing.hear(told))

    def _reference(self, url: str) -> RunReference:
        example = f"`{self.web}/OWNER/NAME/actions/runs/NUMBER`"
        try:
            parts, home = urlsplit(url), urlsplit(self.web)
        except ValueError:
            raise Refused(f"This is not an address. Give that of a run: {example}") from None
        if parts.scheme in ("http", "https") and parts.netloc.lower() != home.netloc.lower():
            raise Refused(f"I look at runs on {home.netloc} only. Give the address of a run there: {example}")
        found = run_of_url(parts.path) if _PATH.match(parts.path) else None
        names = found.repository.split("/") if found else []
        if parts.scheme not in ("http", "https") or found is None or any(not name.strip(".") for name in names):
            raise Refused(f"This is not the address of a run. It looks like this: {example}")
        if max(found.run_id, found.attempt) >= LARGEST_NUMBER:
            raise Refused("There is no run of that number. Copy the address from the page of the run.")
        return found
