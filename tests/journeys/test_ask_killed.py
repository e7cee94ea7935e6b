"""kill -9 while a document is taken in and while a question is answered: both end after the next start, once."""

import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from bot.app import registered_manifest
from bot.demo.run import CATALOGUE
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace


class Process:
    """`shipmate serve` over one folder."""

    def __init__(self, folder, sandbox, **more):
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "SHIPMATE_DATA_DIR": str(folder),
            "SHIPMATE_CATALOGUE_PATH": str(folder / "shipmate.yaml"), "SHIPMATE_EXECUTOR_ID": "killed",
            "SHIPMATE_HTTP_PORT": "0", "SLACK_API_URL": sandbox.api_url, "SHIPMATE_LOG_FORMAT": "console",
            "SLACK_BOT_TOKEN": sandbox.bot_token, "SLACK_APP_TOKEN": sandbox.app_token, **more,
        }  # fmt: skip
        self.process = None

    def start(self):
        with (self.folder / "bot.log").open("ab") as log:
            command = [sys.executable, "-m", "bot", "serve"]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def place(tmp_path, empty_registry):
    shutil.copyfile(empty_registry, tmp_path / "mlflow.sqlite")
    (tmp_path / "shipmate.yaml").write_text(CATALOGUE.read_text())
    sandbox = SlackSandbox(tmp_path / "slack.sqlite", port=0, app=registered_manifest())
    sandbox.start()
    space = Workspace(sandbox.url)
    yield tmp_path, sandbox, space
    space.close()
    sandbox.stop()


@pytest.fixture
def process(place):
    """Makes a bot that does not outlive its story, however that ends."""
    folder, sandbox, _ = place
    made = []

    def make(**more):
        made.append(Process(folder, sandbox, **more))
        return made[-1]

    yield make
    for bot in made:
        bot.kill()


def connected(space, person):
    space.wait_until(lambda: space.try_type("/models", as_=person, channel="#ml"), seconds=60)


def test_a_long_document_is_in_after_the_bot_was_killed_while_it_was_indexed(place, process):
    folder, _, space = place
    ben = space.person("ben")
    bot = process()
    bot.start()
    connected(space, ben)
    sections = [
        f"## Service {n}\n\n" + f"Service number {n} restarts within {n} seconds of a deploy. " * 20 for n in range(100)
    ]
    space.upload("services.md", ("# All services\n\n" + "\n\n".join(sections)).encode(), as_=ben, channel="#ml")
    space.shortcut("ask.add", as_=ben, seen=space.messages("#ml", as_=ben)[-1])
    form = space.wait_until(lambda: space.modal(as_=ben))
    everybody = {"readers": {"pick": {"type": "radio_buttons", "selected_option": {"value": "everybody"}}}}
    assert space.submit(form, everybody, as_=ben)["ok"]
    space.wait_for_message("#ml", containing="Indexing", as_=ben, seconds=60)
    bot.kill()
    bot.start()
    card = space.wait_for_message("#ml", containing="was added to the documents", as_=ben, seconds=400)
    cards = [seen for seen in space.messages("#ml", as_=ben) if "All services" in seen.plain]
    assert [seen.ts for seen in cards] == [card.ts]
    # What was uploaded goes after the card has told of its end.
    space.wait_until(lambda: not list((folder / "storage" / "knowledge" / "incoming").iterdir()))
    space.type("/ask within how many seconds does service number 77 restart?", as_=ben, channel="#ml")
    space.wait_for_message("#ml", containing="77 seconds", as_=ben, seconds=60)


def test_a_question_is_answered_once_after_the_bot_was_killed_while_the_model_wrote(place, process, model):
    _, _, space = place
    vera, ben = space.person("vera"), space.person("ben")
    asked, go_on = threading.Event(), threading.Event()

    def slow(_prompt):
        asked.set()
        go_on.wait(240)
        return "The queue is emptied at 02:30. [1]"

    model.script = slow
    url = model.settings["openai_base_url"]
    bot = process(OPENAI_BASE_URL=url, OPENAI_API_KEY="scripted", SHIPMATE_LANGUAGE_MODELS="openai")
    bot.start()
    connected(space, ben)
    space.upload("queue.md", b"# Queue\n\nThe labelling queue is emptied at 02:30.", as_=ben, channel="#ml")
    space.shortcut("ask.add", as_=ben, seen=space.messages("#ml", as_=ben)[-1])
    form = space.wait_until(lambda: space.modal(as_=ben))
    assert space.submit(form, {}, as_=ben)["ok"]
    space.wait_for_message("#ml", containing="was added to the documents", as_=ben, seconds=60)
    space.say("<@U0SHIPMATE> when is the labelling queue emptied?", as_=vera, channel="#ml")
    question = space.messages("#ml", as_=vera)[-1]
    assert asked.wait(120)
    bot.kill()
    go_on.set()
    bot.start()
    space.wait_until(lambda: any("02:30" in one.plain for one in space.thread(question, as_=vera)), seconds=90)
    assert len(space.thread(question, as_=vera)) == 1
