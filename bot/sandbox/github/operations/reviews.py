"""Reviews of pull requests."""

from bot.sandbox.github.answers import Answer, Listing, invalid
from bot.sandbox.github.registry import Call, operation

REVIEWS = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"
STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@operation("GET", REVIEWS)
def listed(call: Call) -> Listing:
    issue = call.world.pull(call.number("pull_number"))
    found = [one for one in call.world.store.all("review") if one["issue"] == issue["number"]]
    return Listing(found, lambda review: call.world.work.review(review, issue))


@operation("POST", REVIEWS)
def create(call: Call) -> Answer:
    issue, event = call.world.pull(call.number("pull_number")), call.text("event", "COMMENT")
    body = call.text("body", "")
    if event not in STATES:
        raise invalid("PullRequestReview", "event", "invalid")
    if event != "APPROVE" and not body:
        raise invalid("PullRequestReview", "body")
    if issue["user"] == call.actor and event != "COMMENT":
        raise invalid("PullRequestReview", "event", "custom", "Can not approve your own pull request")
    number = call.world.store.next_number("review", 2_200_000_001)
    review = {
        "id": number, "issue": issue["number"], "user": call.actor, "body": body, "state": STATES[event],
        "sha": call.world.ends(issue)[0], "created_at": call.world.now(),
    }  # fmt: skip
    call.world.store.put("review", number, review)
    return Answer(call.world.work.review(review, issue))
