"""Large logs with one line that names the cause, made the same way each time, in the forms of loggers and CI."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 4, 2, tzinfo=UTC)


def haystacks() -> Iterator[dict[str, object]]:
    """Cases as `strange.py` takes them."""
    yield _case("hay-json-zap", _zap(150_000, 61_234), "signature mismatch", "deployment", "training")
    yield _case("hay-logfmt-warn", _logfmt(150_000, 90_210), "memory limit 64MiB", "infrastructure", "unknown")
    yield _case("hay-syslog-xid", _syslog(120_000, 77_777), "fallen off the bus", "infrastructure", "training")
    yield _case("hay-gitlab-quota", _gitlab(), "Disk quota exceeded", "infrastructure", "training")
    yield _case("hay-compose-denied", _compose(), "Access", "infrastructure", "training")
    yield {"name": "hay-negative-json", "log": _zap(60_000, -1), "wrong": False}


def _case(name: str, log: str, cause: str, kind: str, second: str) -> dict[str, object]:
    return {"name": name, "log": log, "cause": [cause], "kind": kind, "or": second}


def _lines(count: int, needle_at: int, line: Callable[[int], str], needle: str) -> str:
    return "\n".join(needle if row == needle_at else line(row) for row in range(count)) + "\n"


def _stamp(row: int, every: float) -> str:
    return (START + timedelta(seconds=row * every)).replace(tzinfo=None).isoformat() + "Z"


def _zap(count: int, at: int) -> str:
    chance = random.Random(11)
    messages = [
        "scored batch", "cache hit", "cache miss, computing", "feature fetched", "published message",
        "retrying after 429, attempt 1 of 5", "heartbeat ok, 0 errors",
    ]  # fmt: skip

    def line(row: int) -> str:
        level = chance.choices(["info", "debug", "warn"], [80, 15, 5])[0]
        place = f"score/batch.go:{chance.randint(20, 90)}"
        said = {"ts": _stamp(row, 0.04), "level": level, "caller": place, "msg": chance.choice(messages)}
        return json.dumps(said | {"batch": chance.randint(1, 9999), "ms": chance.randint(2, 40)})

    rejected = {"ts": _stamp(at, 0.04), "level": "error", "caller": "registry/client.go:88"}
    rejected |= {"msg": "model churn v7 rejected: signature mismatch", "error": "expected 12 features, model has 11"}
    return _lines(count, at, line, json.dumps(rejected))


def _logfmt(count: int, at: int) -> str:
    chance = random.Random(12)
    messages = ["request served", "slow upstream, still within budget", "cache refreshed", "rotated log file"]

    def line(row: int) -> str:
        level = chance.choices(["info", "debug", "warning"], [85, 12, 3])[0]
        return (
            f"time={_stamp(row, 0.07)} level={level} component={chance.choice(['gateway', 'scorer', 'cache'])} "
            f'msg="{chance.choice(messages)}" id={chance.randrange(10**9):09d} duration={chance.randint(1, 90)}ms'
        )

    needle = 'msg="evicted 48211 of 50000 entries: memory limit 64MiB reached, hit rate will drop" id=000000000'
    return _lines(count, at, line, f"time={_stamp(at, 0.07)} level=warning component=cache {needle}")


def _syslog(count: int, at: int) -> str:
    chance = random.Random(13)

    def line(row: int) -> str:
        said = chance.choice([
            f"systemd[1]: Started Session {row} of user root.",
            'kubelet[812]: I0304 kubelet.go:2457] "SyncLoop (PLEG): event for pod" pod="ml/churn-0"',
            f'containerd[640]: time="2026-03-04T02:00:00Z" level=info msg="cleaning up dead shim" id={row}',
            f"sshd[{row}]: Connection closed by 10.0.0.9 port {30_000 + row % 20_000} [preauth]",
        ])  # fmt: skip
        return f"{(START + timedelta(seconds=row // 3)).strftime('%b %d %H:%M:%S')} node-7 {said}"

    needle = "Mar 04 09:12:05 node-7 kernel: NVRM: Xid (PCI:0000:3b:00): 79, pid=4121, GPU has fallen off the bus."
    return _lines(count, at, line, needle)


def _gitlab() -> str:
    chance = random.Random(14)
    rows = ["Running with gitlab-runner 17.2.0 (abc)", "section_start:1700000011:step_script\r\x1b[0KExecuting"]
    rows += ["\x1b[32;1m$ dvc repro train\x1b[0;m", "Running stage 'prepare':"]
    rows += [f"row group {row}: 10000 rows, 0 errors" for row in range(16_000)]
    rows += ["Running stage 'train':", "> python train.py --data data/clean.parquet"]
    rows += [f"step {step}/9000 loss={3 / (1 + step / 500):.4f} norm={chance.random():.3f}" for step in range(9_000)]
    rows += ["checkpoint write failed: [Errno 122] Disk quota exceeded: '/mnt/shared/ckpt/step-9000.pt.tmp'"]
    rows += [f"flushing metrics shard {shard}" for shard in range(60)]
    rows += ["ERROR: failed to reproduce 'train': failed to run: python train.py, exited with 1"]
    rows += ["section_end:1700000999:step_script\r\x1b[0K", "section_start:1700001000:after_script\r\x1b[0KRunning"]
    rows += ["\x1b[32;1m$ tar czf logs.tgz logs || true\x1b[0;m", "tar: logs: Cannot stat: No such file or directory"]
    rows += ["tar: Exiting with failure status due to previous errors", "section_end:1700001002:after_script\r\x1b[0K"]
    rows += ["WARNING: logs.tgz: no matching files.", "ERROR: No files to upload"]
    return "\r\n".join([*rows, "ERROR: Job failed: command terminated with exit code 1"]) + "\r\n"


def _compose() -> str:
    chance = random.Random(15)
    traceback = [
        "ERROR could not read s3://acme-features/2026-03-03/part-0007.parquet: Access Denied",
        "Traceback (most recent call last):", '  File "/app/train.py", line 88, in load', "    table = read(part)",
        "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the GetObject operation",
    ]  # fmt: skip
    rows = []
    for step in range(6_000):
        job = chance.choice(["api", "web", "worker", "trainer"])
        rows.append(f"{job}-1  | 2026-03-04T02:00:{step % 60:02d}Z INFO step {step} done, error_count=0")
    for place, said in enumerate(traceback):
        rows.insert(3_100 + 2 * place, f"trainer-1  | {said}")
    rows.append("trainer-1 exited with code 1")
    rows += [f"api-1  | 2026-03-04T02:01:{step % 60:02d}Z WARNING waiting for trainer" for step in range(200)]
    return "\n".join(rows) + "\n"
