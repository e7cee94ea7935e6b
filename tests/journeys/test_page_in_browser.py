"""The page of the sandbox in a real browser, with a small Bolt app behind it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import PATIENCE_SECONDS

HOSTILE = (
    "<img src=x onerror=alert(1)> <script>alert(2)</script> <javascript:alert(3)|press me> "
    "<https://evil.example/&quot; onmouseover=alert(4)|a link> &lt;b&gt;not bold&lt;/b&gt; `<svg/onload=alert(5)>`"
)


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    made.set_default_timeout(PATIENCE_SECONDS * 1000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, small_bot: Any) -> Iterator[Page]:
    """A window of Ana's on #ml, and no modal left open by the test before."""
    small_bot.sandbox.world.stacks.clear()
    yield enter(context, small_bot, "U0ANA", "C0ML")
    for opened in context.pages:
        opened.close()


def enter(context: BrowserContext, small_bot: Any, person: str, channel: str) -> Page:
    """A window of this person on this channel; any error in its scripts fails the test."""
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
    page.goto(f"{small_bot.sandbox.url}/?as={person}#/{channel}")
    expect(page.locator("#shell.is-ready")).to_be_visible()
    expect(page.locator("#composer-channel")).to_be_visible()
    return page


def say(page: Page, text: str, where: str = "channel") -> None:
    page.locator(f"#composer-{where}").fill(text)
    page.locator(f"#composer-{where}").press("Enter")


def last(page: Page) -> Locator:
    return page.locator("#main article.message").last


def test_a_person_becomes_another_and_the_page_remembers(page: Page, small_bot: Any) -> None:
    page.locator("#person-switch").click()
    page.get_by_role("menuitemcheckbox").filter(has_text="Vera Novak").click()
    expect(page.locator("#person-switch")).to_contain_text("Vera Novak")
    page.reload()
    expect(page.locator("#person-switch")).to_contain_text("Vera Novak")


def test_a_command_is_completed_with_its_usage_and_sent(page: Page, small_bot: Any) -> None:
    box = page.locator("#composer-channel")
    box.press_sequentially("/re")
    expect(page.get_by_role("option", name="/retrain")).to_contain_text("MODEL [data=…]")
    box.press("Tab")
    expect(box).to_have_value("/retrain ")
    expect(page.locator("#main .usage-line")).to_contain_text("Train a model anew")
    box.press_sequentially("churn")
    box.press("Enter")
    expect(last(page)).to_contain_text("Retrain churn?")
    expect(box).to_have_value("")


def test_arrow_keys_walk_through_the_commands(page: Page) -> None:
    box = page.locator("#composer-channel")
    box.press_sequentially("/")
    options = page.get_by_role("option")
    expect(options).to_have_count(3)
    box.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    box.press("Escape")
    expect(options).to_have_count(0)


def test_an_unknown_command_leaves_a_line_under_the_box(page: Page) -> None:
    say(page, "/nonsense now")
    expect(page.locator("#main .notice")).to_contain_text("/nonsense is not a valid command")


def test_a_button_asks_first_then_waits_then_the_message_changes(page: Page, small_bot: Any) -> None:
    small_bot.presses.clear()
    small_bot.released.clear()
    card = page.locator(f"#main article.message[data-ts='{small_bot.ask('C0ML')}']")
    card.get_by_role("button", name="Approve").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("It trains churn on 50,000 rows.")
    question.get_by_role("button", name="Not yet").click()
    expect(question).to_have_count(0)
    card.get_by_role("button", name="Approve").click()
    question.get_by_role("button", name="Approve it").click()
    expect(card.locator(".is-busy")).to_be_visible()
    small_bot.released.set()
    expect(card).to_contain_text("Approved by @Ana Lima")
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    assert small_bot.presses == ["U0ANA"]


def test_a_form_says_what_is_wrong_at_the_field_and_then_goes(page: Page, small_bot: Any) -> None:
    small_bot.submitted.clear()
    say(page, "/form")
    form = page.get_by_role("dialog")
    expect(form).to_contain_text("It stands in the audit trail.")
    form.get_by_role("button", name="Deploy").click()
    expect(form.locator(".has-error")).to_have_count(2)
    form.get_by_label("Reason").fill("short")
    form.locator(".select").click()
    page.get_by_role("option", name="production").click()
    form.get_by_role("button", name="Deploy").click()
    expect(form.locator(".has-error")).to_have_count(1)
    expect(form.locator(".has-error")).to_contain_text("Write a few words more.")
    expect(form.locator(".select")).to_contain_text("production")
    form.get_by_label("Reason").fill("The gate passed twice")
    form.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert small_bot.submitted[0]["where"]["pick"]["selected_option"]["value"] == "production"


def test_escape_closes_a_form(page: Page) -> None:
    say(page, "/form")
    expect(page.get_by_role("dialog")).to_contain_text("Deploy churn")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_reply_stays_in_its_thread_and_the_parent_counts_it(page: Page) -> None:
    say(page, "A question for the thread")
    row = page.locator("#main article.message", has_text="A question for the thread")
    row.hover()
    row.get_by_role("button", name="Reply in thread").click()
    expect(page.locator("#thread")).to_be_visible()
    say(page, "The answer in it", "thread")
    expect(page.locator("#thread article.message").last).to_contain_text("The answer in it")
    expect(row).to_contain_text("1 reply")
    expect(page.locator("#main article.message", has_text="The answer in it")).to_have_count(0)
    page.locator("#composer-thread").press("Escape")
    expect(page.locator("#thread")).to_be_hidden()


def test_what_is_for_one_person_only_is_seen_by_nobody_else(context: BrowserContext, small_bot: Any) -> None:
    ben, vera = (enter(context, small_bot, person, "C0ML") for person in ("U0BEN", "U0VERA"))
    say(ben, "/models")
    whisper = ben.locator("article.message.is-ephemeral").last
    expect(whisper).to_contain_text("v6 is the champion")
    expect(whisper).to_contain_text("Only visible to you")
    small_bot.client.chat_postMessage(channel="C0ML", text="For all of you")
    expect(last(vera)).to_contain_text("For all of you")
    expect(vera.locator("#main")).not_to_contain_text("v6 is the champion")
    whisper.get_by_role("button", name="Dismiss message").click()
    expect(ben.locator("article.message.is-ephemeral")).to_have_count(0)


def test_news_of_another_channel_marks_it_until_it_is_read(page: Page, small_bot: Any) -> None:
    small_bot.client.chat_postMessage(channel="C0INCIDENTS", text="<@U0ANA> something burns")
    row = page.locator("#sidebar a[data-channel=C0INCIDENTS]")
    expect(row).to_have_class(re.compile("is-unread"))
    expect(row.locator(".badge")).to_have_text("1")
    row.click()
    expect(last(page)).to_contain_text("something burns")
    expect(row.locator(".badge")).to_have_count(0)


def test_a_message_grows_while_it_is_written(page: Page, small_bot: Any) -> None:
    client = small_bot.client
    parent = client.chat_postMessage(channel="C0ML", text="Why did it fail?")
    where = {"channel": "C0ML", "ts": ""}
    started = client.chat_startStream(
        channel="C0ML", thread_ts=parent["ts"], recipient_user_id="U0ANA", recipient_team_id="T0SHIPYARD",
        markdown_text="The **learning",
    )  # fmt: skip
    where["ts"] = started["ts"]
    row = page.locator("#main article.message", has_text="Why did it fail?")
    row.hover()
    row.get_by_role("button", name="Reply in thread").click()
    answer = page.locator("#thread article.message").last
    expect(answer).to_have_class(re.compile("is-streaming"))
    client.chat_appendStream(**where, markdown_text=" rate** was too high")
    expect(answer.locator("strong, b").filter(has_text="learning rate")).to_be_visible()
    client.chat_stopStream(**where)
    expect(answer).not_to_have_class(re.compile("is-streaming"))
    expect(answer).to_contain_text("was too high")


def test_files_are_sent_by_the_button_and_can_be_read_again(
    page: Page, context: BrowserContext, tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    log.write_text("epoch 1 loss nan\n")
    page.locator("#main input[type=file]").set_input_files(log)
    expect(page.locator("#main .attach-list")).to_contain_text("train.log")
    say(page, "The log of last night")
    sent = last(page)
    expect(sent).to_contain_text("The log of last night")
    expect(sent).to_contain_text("train.log")
    address = sent.locator("a[href*='/files/']").first.get_attribute("href")
    assert address
    assert (
        context.request.get(page.evaluate("(path) => new URL(path, location).href", address)).text() == log.read_text()
    )


def test_the_home_tab_shows_what_the_app_published(page: Page) -> None:
    page.goto(page.url.split("#")[0] + "#/home")
    expect(page.locator("#main")).to_contain_text("Good evening")
    expect(page.locator("#main")).to_contain_text("Nothing waits for @Ana Lima")
    page.get_by_role("tab", name="Messages").or_(page.get_by_role("link", name="Messages")).first.click()
    expect(page.locator("#composer-channel")).to_be_visible()


def test_the_keyboard_jumps_to_a_channel(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.type("inci")
    page.keyboard.press("Enter")
    expect(page.locator("#main h1, #main .pane-title").first).to_contain_text("incidents")
    expect(page.locator("#composer-channel")).to_be_focused()


def test_a_link_leads_to_its_message(page: Page, small_bot: Any) -> None:
    sent = small_bot.client.chat_postMessage(channel="C0OPS", text="Remember this one")
    page.goto(f"{small_bot.sandbox.url}/page/permalink/C0OPS/{sent['ts']}?as=U0ANA")
    expect(page.locator("article.message.is-highlighted")).to_contain_text("Remember this one")


def test_a_reaction_counts_and_can_be_taken_back(page: Page) -> None:
    say(page, "Who is in?")
    row = last(page)
    expect(row).to_contain_text("Who is in?")
    row.hover()
    row.get_by_role("button", name="React with eyes").click()
    mine = row.locator(".reaction.is-mine")
    expect(mine).to_contain_text("1")
    mine.click()
    expect(row.locator(".reaction.is-mine")).to_have_count(0)


def test_a_message_shortcut_reaches_the_app(page: Page, small_bot: Any) -> None:
    small_bot.explained.clear()
    say(page, "psi=0.31 feature=tenure")
    row = last(page)
    expect(row).to_contain_text("psi=0.31")
    row.hover()
    row.get_by_role("button", name="More actions").click()
    with page.expect_response("**/page/shortcuts?*") as answered:
        page.get_by_role("menuitem").filter(has_text="Explain this").click()
    assert answered.value.json() == {"ok": True}
    assert small_bot.explained == ["psi=0.31 feature=tenure"]


def test_hostile_texts_do_nothing(page: Page, small_bot: Any) -> None:
    dialogs, foreign, complaints = [], [], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on(
        "request", lambda sent: foreign.append(sent.url) if not sent.url.startswith(small_bot.sandbox.url) else None
    )
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": HOSTILE}},
        {"type": "header", "text": {"type": "plain_text", "text": HOSTILE[:140]}},
        {"type": "markdown", "text": f"# {HOSTILE}\n[press](javascript:alert(6)) ![pic](https://evil.example/a.png)"},
    ]
    small_bot.client.chat_postMessage(channel="C0ML", text="hostile", blocks=blocks)
    small_bot.client.chat_postMessage(channel="C0ML", text=HOSTILE)
    expect(last(page)).to_contain_text("<b>not bold</b>")
    expect(page.locator("#main article.message", has_text="press").last).to_be_visible()
    assert page.locator("a[href^='javascript' i], #main img[onerror], #main script, #main [onmouseover]").count() == 0
    assert (dialogs, foreign, complaints) == ([], [], [])


def test_the_page_is_dark_when_the_system_is_and_when_asked(page: Page) -> None:
    background = "() => getComputedStyle(document.querySelector('#main')).backgroundColor"
    bright = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-shade", "dark")
    dark = page.evaluate(background)
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-shade", "light")
    assert dark != bright
    assert page.evaluate(background) == bright


def test_after_the_server_was_away_the_page_catches_up(context: BrowserContext, tmp_path: Path) -> None:
    first = SlackSandbox(tmp_path / "slack.sqlite")
    first.start()
    page = context.new_page()
    page.goto(f"{first.url}/?as=U0ANA#/C0ML")
    say(page, "Before the fall")
    expect(last(page)).to_contain_text("Before the fall")
    first.stop()
    expect(page.locator("#bars")).to_contain_text("Connection lost")
    say(page, "Not lost")
    expect(page.locator("#main .notice")).to_contain_text("does not answer")
    expect(page.locator("#composer-channel")).to_have_value("Not lost")
    second = SlackSandbox(tmp_path / "slack.sqlite", port=first.port)
    second.acts.say("U0BEN", "C0ML", "Said while you were away")
    second.start()
    expect(last(page)).to_contain_text("Said while you were away")
    expect(page.locator("#bars")).not_to_contain_text("Connection lost")
    page.locator("#composer-channel").press("Enter")
    expect(last(page)).to_contain_text("Not lost")
    page.close()
    second.stop()


def test_the_page_says_when_the_app_is_away_and_when_it_is_back(page: Page, small_bot: Any) -> None:
    bars = page.locator("#bars")
    expect(bars).to_be_empty()
    small_bot.handler.close()
    expect(bars).to_contain_text("is not connected")
    say(page, "/models")
    expect(page.locator("#main .notice")).to_contain_text('failed with the error "dispatch_failed"')
    small_bot.connect()
    expect(bars).to_be_empty()
    say(page, "/models")
    expect(page.locator("article.message.is-ephemeral").last).to_contain_text("v6 is the champion")


def test_on_a_phone_the_channels_come_and_go_over_the_messages(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    expect(page.locator("#sidebar")).to_be_hidden()
    width = page.evaluate("() => document.querySelector('#main').getBoundingClientRect().width")
    assert width == 390
    page.locator("#main .pane-head .only-narrow").click()
    page.locator("#sidebar a[data-channel=C0OPS]").click()
    expect(page.locator("#sidebar")).to_be_hidden()
    expect(page.locator("#main .pane-head")).to_contain_text("ops")
