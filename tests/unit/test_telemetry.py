import re

from bot.telemetry import Telemetry, reference


def test_references_are_short_and_differ() -> None:
    found = {reference() for _ in range(50)}
    assert len(found) > 40
    assert all(re.fullmatch(r"[0-9a-f]{4}", one) for one in found)


def test_what_is_counted_is_exposed() -> None:
    telemetry = Telemetry()
    telemetry.acknowledged("/retrain", 0.02)
    telemetry.handled("/retrain", "ok")
    telemetry.handled("/retrain", "broke")
    telemetry.ended("approval", "approved")
    telemetry.ended("retrain", "registered")
    telemetry.slack_called("chat.update", "ratelimited")
    telemetry.durable_pending(3)
    telemetry.frame_age(1.5)
    lines = telemetry.exposition().decode().splitlines()
    for line in (
        'shipmate_ack_seconds_bucket{le="0.025",name="/retrain"} 1.0',
        'shipmate_handled_total{name="/retrain",outcome="ok"} 1.0',
        'shipmate_listener_errors_total{name="/retrain"} 1.0',
        'shipmate_approvals_total{state="approved"} 1.0',
        'shipmate_retrains_total{stage="registered"} 1.0',
        'shipmate_slack_calls_total{method="chat.update",status="ratelimited"} 1.0',
        "shipmate_durable_pending 3.0",
        "shipmate_socket_frame_age_seconds 1.5",
    ):
        assert line in lines


def test_two_bots_in_one_process_count_apart() -> None:
    first, second = Telemetry(), Telemetry()
    first.handled("/models", "ok")
    assert b"/models" in first.exposition()
    assert b"/models" not in second.exposition()
