"""Takes the README's picture: the demo, a retrain of churn from order to end, in a real browser.

make picture
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from bot.config import Settings, prepare_environment
from bot.demo.run import start_demo
from bot.sandbox.slack.workspace import Workspace

PICTURE = Path(__file__).with_name("demo.png")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    prepare_environment(Settings(slack_api_url="http://127.0.0.1/api/"))
    with tempfile.TemporaryDirectory() as folder:
        demo = start_demo(Path(folder), port=0)
        try:
            live_through(demo.url)
            photograph(demo.url)
        finally:
            demo.stop()
    sys.stdout.write(f"{PICTURE}\n")


def live_through(url: str) -> None:
    """Two retrains, so that the second is compared with a champion."""
    space = Workspace(url)
    ana, ben = space.person("ana"), space.person("ben")
    for version in (1, 2):
        space.type("/retrain churn note=new prices since May", as_=ben, channel="#ml")
        card = space.wait_for_message("#ml", containing="Retrain churn?", as_=ben, seconds=60)
        space.press(card, "Approve", as_=ana)
        space.wait_for_message("#ml", containing=f"version {version} is the new champion", as_=ben, seconds=240)
    space.close()


def photograph(url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1360, "height": 860}, device_scale_factor=1.5)
        page.goto(f"{url}/#/C0ML")
        page.get_by_text("version 2 is the new champion").first.wait_for()
        page.wait_for_timeout(1_000)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
