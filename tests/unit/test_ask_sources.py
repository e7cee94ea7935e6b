"""Folders, repositories and pages find their way into the index, and out of it again."""

import subprocess
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.clients import fetching
from bot.clients.fetching import PageFetcher, is_public
from bot.clients.sources import Source, SourceSync, Synced
from pipelines.errors import Refused, Unavailable

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Shelf:
    """Documents in memory; the real index is tested by its contract."""

    def __init__(self):
        self.kept = {}
        self.puts = 0

    def every(self):
        return [document for document, _ in self.kept.values()]

    def put_all(self, documents):
        self.puts += len(documents)
        self.kept |= {document.id: (document, chunks) for document, chunks in documents}

    def remove(self, document_id):
        return self.kept.pop(document_id, None) is not None


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def syncing(shelf, tmp_path):
    return SourceSync(shelf, tmp_path / "clones", lambda: NOW)


@pytest.fixture
def runbooks(tmp_path):
    folder = tmp_path / "runbooks"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.md").write_text("# A\n\nFirst.")
    (folder / "sub" / "b c.md").write_text("# B\n\nSecond.")
    return folder


def test_a_folder_is_taken_in_with_links(syncing, shelf, runbooks):
    source = Source("wiki", str(runbooks), ("C1",), "https://git.example/wiki/blob/main/")
    assert syncing.sync(source) == Synced(put=2)
    document, chunks = shelf.kept["folder:wiki/sub/b c.md"]
    assert (document.title, document.source, document.kind, document.channels) == ("B", "sub/b c.md", "folder", ("C1",))
    assert document.url == "https://git.example/wiki/blob/main/sub/b%20c.md"
    assert [chunk.text for chunk in chunks] == ["Second."]


def test_only_what_changed_is_put_and_what_is_gone_goes(syncing, shelf, runbooks):
    source = Source("wiki", str(runbooks))
    syncing.sync(source)
    assert syncing.sync(source) == Synced(unchanged=2)
    (runbooks / "a.md").write_text("# A\n\nChanged.")
    (runbooks / "sub" / "b c.md").unlink()
    assert syncing.sync(source) == Synced(put=1, removed=1)
    assert list(shelf.kept) == ["folder:wiki/a.md"]


def test_other_sources_are_left_alone(syncing, shelf, runbooks, tmp_path):
    (tmp_path / "empty").mkdir()
    syncing.sync(Source("wiki", str(runbooks)))
    assert syncing.sync(Source("wik", str(tmp_path / "empty"))) == Synced()
    assert len(shelf.kept) == 2


def test_a_file_that_cannot_be_read_is_told_and_what_it_said_is_kept(syncing, shelf, runbooks):
    source = Source("wiki", str(runbooks))
    syncing.sync(source)
    (runbooks / "a.md").write_bytes(b"\x89PNG not text")
    outcome = syncing.sync(source)
    assert [path for path, _ in outcome.refused] == ["a.md"]
    assert "a picture" in outcome.refused[0][1]
    assert "folder:wiki/a.md" in shelf.kept


def test_hidden_files_programs_and_ways_out_are_not_followed(syncing, shelf, runbooks, tmp_path):
    (tmp_path / "secret.md").write_text("secret")
    (runbooks / "link.md").symlink_to(tmp_path / "secret.md")
    (runbooks / ".git").mkdir()
    (runbooks / ".git" / "x.md").write_text("hidden")
    (runbooks / "run.py").write_text("print()")
    assert syncing.sync(Source("wiki", str(runbooks))) == Synced(put=2)


def test_a_folder_that_is_away_removes_nothing(syncing, shelf, runbooks):
    syncing.sync(Source("wiki", str(runbooks)))
    runbooks.rename(runbooks.with_name("moved"))
    with pytest.raises(Refused, match="There is no folder"):
        syncing.sync(Source("wiki", str(runbooks)))
    assert len(shelf.kept) == 2


def git(folder, *arguments):
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_a_repository_is_followed(syncing, shelf, runbooks, tmp_path):
    bare = tmp_path / "wiki.git"
    git(runbooks, "init", "-q", "-b", "main")
    git(runbooks, "add", ".")
    git(runbooks, "commit", "-qm", "one")
    git(tmp_path, "clone", "-q", "--bare", str(runbooks), str(bare))
    source = Source("wiki", f"file://{bare}")
    assert source.kind == "git"
    assert syncing.sync(source) == Synced(put=2)
    (runbooks / "a.md").write_text("# A\n\nChanged.")
    git(runbooks, "commit", "-qam", "two")
    git(runbooks, "push", "-q", str(bare), "main")
    assert syncing.sync(source) == Synced(put=1, unchanged=1)
    for clone in (tmp_path / "clones").iterdir():
        (clone / ".git" / "HEAD").write_text("damaged")
    assert syncing.sync(source) == Synced(unchanged=2)


def test_a_repository_that_is_away_is_told_and_removes_nothing(syncing, shelf, tmp_path):
    with pytest.raises(Unavailable, match="the repository of wiki"):
        syncing.sync(Source("wiki", f"file://{tmp_path}/none.git"))


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        known = {"/page": 200, "/big": 200, "/login": 403, "/down": 503}
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
        else:
            self.send_response(known.get(self.path, 404))
            self.send_header("Content-Type", "text/html")
        self.end_headers()
        if self.path == "/page":
            self.wfile.write(b"<html><body><h1>Hello</h1></body></html>")
        if self.path == "/big":
            self.wfile.write(b"x" * 3000)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_page_is_fetched_through_its_redirects(site):
    page = PageFetcher(allow_private=True).fetch(f"{site}/to?/page")
    assert (page.url, page.name, page.media_type) == (f"{site}/page", "page", "text/html")
    assert b"Hello" in page.content


@pytest.mark.parametrize(
    ("path", "said"),
    [("/login", "wants a login"), ("/none", "no such page"), ("/to?/to?/to?/to?/to?/to?/to?/page", "redirects more"),
     ("/to?file:///etc/passwd", "no address of a page")],
)  # fmt: skip
def test_what_is_no_page_is_refused(site, path, said):
    with pytest.raises(Refused, match=said):
        PageFetcher(allow_private=True).fetch(site + path)


def test_a_page_that_is_too_large_is_refused(site, monkeypatch):
    monkeypatch.setattr(fetching, "MOST_BYTES", 2000)
    with pytest.raises(Refused, match="is larger than"):
        PageFetcher(allow_private=True).fetch(f"{site}/big")


def test_a_server_in_trouble_is_told(site):
    with pytest.raises(Unavailable, match="status 503"):
        PageFetcher(allow_private=True).fetch(f"{site}/down")
    with pytest.raises(Unavailable, match="does not answer"):
        PageFetcher(allow_private=True).fetch("http://127.0.0.1:1/")


def test_our_own_machine_is_not_read(site):
    with pytest.raises(Refused, match="not a public address"):
        PageFetcher().fetch(f"{site}/page")


def test_a_redirect_cannot_lead_inside(site, monkeypatch):
    outside = site.replace("127.0.0.1", "localhost")
    # As if localhost were a public name: only the address that it redirects to is judged.
    monkeypatch.setattr(fetching, "is_public", lambda address: False if address == "127.0.0.1" else is_public(address))
    real = PageFetcher._address

    def first_is_public(self, host, port):
        return "127.0.0.1" if host == "localhost" else real(self, host, port)

    monkeypatch.setattr(PageFetcher, "_address", first_is_public)
    assert PageFetcher().fetch(f"{outside}/page").content
    with pytest.raises(Refused, match="not a public address"):
        PageFetcher().fetch(f"{outside}/to?{site}/page")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
     "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
     "2002:7f00:1::", "255.255.255.255", "nonsense"],
)  # fmt: skip
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:220:1::1", "::ffff:93.184.215.14"])
def test_addresses_that_are(address):
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "said"),
    [("ftp://x.example/a", "no address of a page"), ("", "no address"), ("http://", "no address"),
     ("http://[::1", "no address"), ("http://x:99999999/", "no address"),
     ("https://a:b@x.example/", "name and password"),
     ("http://0x7f000001/", "not a public|no host"), ("http://2130706433/", "not a public|no host"),
     ("http://[::ffff:127.0.0.1]/", "not a public")],
)  # fmt: skip
def test_addresses_that_are_none(url, said):
    with pytest.raises(Refused, match=said):
        PageFetcher().fetch(url)
