"""The story of a retrain as two people live it: in two windows of a real browser, with the whole bot behind them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

SOON, TRAINED = 60_000, 120_000


@pytest.fixture
def windows(browser: Browser, ship) -> Iterator[tuple[Page, Page]]:
    """Ben's window and Ana's, both on #ml."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    opened = []
    for person in ("U0BEN", "U0ANA"):
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
        page.goto(f"{ship.sandbox.url}/?as={person}#/C0ML")
        expect(page.locator("#composer-channel")).to_be_visible(timeout=SOON)
        opened.append(page)
    yield opened[0], opened[1]
    context.close()


def type_command(page: Page, line: str) -> None:
    page.locator("#composer-channel").fill(line)
    page.locator("#composer-channel").press("Enter")


def card(page: Page):
    return page.locator("#main article.message").filter(has_text="diabetes-progression").last


def test_ben_asks_ana_approves_and_both_see_the_new_champion(windows):
    ben, ana = windows
    type_command(ben, "/retrain diabetes-progression")
    expect(card(ana)).to_contain_text("Retrain diabetes-progression?", timeout=SOON)
    expect(card(ana)).to_contain_text("442 rows")
    card(ana).get_by_role("button", name="Approve retraining").click()
    for page in (ana, ben):
        expect(card(page)).to_contain_text("version 1 is the new champion", timeout=TRAINED)
        expect(card(page).get_by_role("button", name="Approve")).to_have_count(0)
    expect(card(ben)).to_contain_text("Approved by Ana Lima")
    expect(card(ben).locator("table")).to_be_visible()
    expect(card(ben).locator("svg").first).to_be_visible()
    expect(
        card(ben).get_by_role("link", name="Open in MLflow").or_(card(ben).get_by_role("button", name="Open in MLflow"))
    ).to_be_visible()
    expect(card(ben)).to_contain_text("1 reply", timeout=SOON)


def test_ben_who_presses_approve_is_told_so_and_ana_is_not(windows):
    ben, ana = windows
    type_command(ben, "/retrain diabetes-progression")
    expect(card(ben)).to_contain_text("Retrain diabetes-progression?", timeout=SOON)
    card(ben).get_by_role("button", name="Approve retraining").click()
    expect(ben.locator("#main")).to_contain_text("Approving takes the role approver", timeout=SOON)
    expect(ana.locator("#main")).not_to_contain_text("Approving takes the role approver")


def test_rejecting_asks_first_and_home_lists_what_was(windows):
    ben, ana = windows
    type_command(ben, "/retrain diabetes-progression")
    expect(card(ana)).to_contain_text("Retrain diabetes-progression?", timeout=SOON)
    card(ana).get_by_role("button", name="Reject").click()
    ana.get_by_role("dialog").get_by_role("button", name="Reject").click()
    expect(card(ana)).to_contain_text("was rejected by Ana Lima", timeout=SOON)
    type_command(ben, "/shipmate help")
    expect(ben.locator("#main")).to_contain_text("/retrain MODEL [data=FILE-OR-URL]", timeout=SOON)
