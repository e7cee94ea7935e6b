"""A file becomes knowledge and answers, as a person does it on the page of the workspace."""

from pathlib import Path

from playwright.sync_api import Browser, expect

SOON = 60_000
QUEUE = "# The labelling queue\n\nThe labelling queue is emptied every night at 02:30 by the job drain-labels.\n"


def test_a_file_is_added_by_the_shortcut_and_the_answer_links_to_it(browser: Browser, ship, tmp_path: Path) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{ship.sandbox.url}/?as=U0BEN#/C0ML")
    box = page.locator("#composer-channel")
    expect(box).to_be_visible(timeout=SOON)
    ship.workspace.upload("queue.md", QUEUE.encode(), as_=ship.workspace.person("ben"), channel="#ml")
    row = page.locator("#main article.message").filter(has_text="queue.md").last
    row.hover()
    row.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem").filter(has_text="Add to knowledge").click()
    form = page.get_by_role("dialog")
    expect(form).to_contain_text("Who may read answers from it", timeout=SOON)
    form.get_by_label("Title").fill("The labelling queue")
    form.get_by_text("Everybody in the workspace").click()
    form.get_by_role("button", name="Add").click()
    messages = page.locator("#main article.message")
    expect(messages.filter(has_text="was added to the documents")).to_be_visible(timeout=SOON)
    box.fill("/ask when is the labelling queue emptied?")
    box.press("Enter")
    answer = messages.filter(has_text="02:30").last
    expect(answer).to_be_visible(timeout=SOON)
    for named in ("[1]", "The labelling queue"):
        assert "/files/" in str(answer.get_by_role("link", name=named).get_attribute("href"))
    answer.get_by_role("button", name="Helpful", exact=True).click()
    expect(page.locator("#main")).to_contain_text("Thank you.", timeout=SOON)
    page.context.close()
