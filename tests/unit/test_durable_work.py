"""The durable engine: once, through kills and restarts, with retries where something is away."""

import threading
import time

import pytest

from pipelines.durable.workflow import DurableWork, EngineSettings, Stopping
from pipelines.errors import Refused, Unavailable

PATIENCE_SECONDS = 60


@pytest.fixture
def engine(tmp_path):
    made = []

    def make(body):
        work = DurableWork(EngineSettings(f"sqlite:///{tmp_path}/durable.sqlite", "test-0", retry_seconds=0.01))
        work.register("try", lambda argument: body(work, argument))
        work.launch()
        made.append(work)
        return work

    yield make
    for work in made[-1:]:
        work.stop()


def wait_until(claim, seconds=PATIENCE_SECONDS):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.02)
    return False


def test_one_id_is_done_once_however_often_it_is_started(engine):
    done = []
    work = engine(lambda work, argument: work.step("do", done.append, argument))
    for _ in range(5):
        work.start("try", "a", "x")
    assert wait_until(lambda: work.settled("try", "a"))
    assert done == ["x"]


def test_a_step_is_tried_again_while_something_is_unavailable(engine):
    tries = []

    def flaky():
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable("Slack", "did not answer")

    work = engine(lambda work, _: work.step("flaky", flaky))
    work.start("try", "b", "")
    assert wait_until(lambda: work.settled("try", "b"))
    assert len(tries) == 3


@pytest.mark.parametrize("fault", [Refused("No."), Unavailable("MLflow", "is locked", 2.0)])
def test_the_fault_itself_reaches_the_body_not_a_wrapper(engine, fault):
    caught = []

    def fail():
        raise fault

    def body(work, _argument):
        try:
            work.step("fail", fail)
        except (Refused, Unavailable) as problem:
            caught.append((type(problem), str(problem)))

    work = engine(body)
    work.start("try", "c", "")
    assert wait_until(lambda: work.settled("try", "c"))
    assert caught == [(type(fault), str(fault))]


def test_work_that_waits_when_the_process_stops_goes_on_after_the_start(engine):
    began, finished, first = threading.Event(), [], []

    def wait_long(work):
        began.set()
        while not finished:
            work.pause(0.05)

    def body(work, _argument):
        work.step("first", first.append, 1)
        work.step("wait", wait_long, work)
        finished.append("end")

    work = engine(body)
    work.start("try", "d", "")
    assert began.wait(PATIENCE_SECONDS)
    work.stop()
    finished.append("go")
    again = engine(body)
    assert wait_until(lambda: again.settled("try", "d"))
    assert finished == ["go", "end"]
    assert first == [1]


def test_a_pause_ends_at_once_when_the_process_stops(engine):
    work = engine(lambda *_: None)
    ended = []

    def wait():
        try:
            work.pause(10 * PATIENCE_SECONDS)
        except Stopping:
            ended.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    work.stop()
    thread.join(PATIENCE_SECONDS)
    assert ended == [True]


def test_of_work_with_a_limit_no_more_than_that_is_done_at_once_and_all_of_it_in_the_end(tmp_path):
    work = DurableWork(EngineSettings(f"sqlite:///{tmp_path}/durable.sqlite", "test-0", retry_seconds=0.01))
    counted, doing, most, done = threading.Lock(), [], [], []
    two = threading.Event()

    def body(argument):
        with counted:
            doing.append(argument)
            most.append(len(doing))
            if len(doing) == 2:
                two.set()
        assert two.wait(PATIENCE_SECONDS)
        time.sleep(0.05)  # a third would come now
        with counted:
            doing.remove(argument)
            done.append(argument)

    work.register("few", body, at_once=2)
    work.launch()
    for number in range(8):
        work.start("few", str(number), str(number))
        work.start("few", str(number), str(number))
    assert wait_until(lambda: all(work.settled("few", str(number)) for number in range(8)))
    work.stop()
    assert sorted(done) == [str(number) for number in range(8)]
    assert max(most) == 2
