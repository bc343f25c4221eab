"""Alerts against a real receiver on this machine: what is sent, how often, and that the secret stays one."""

import json
import logging
import socket
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE
from causalrec.settings.deployment.alerts import AlertKind, parse_alerts
from causalrec_assets.commands.home import create_home
from resources.alerts import slack, webhook
from resources.alerts.alert import Alert
from resources.alerts.resource import Alerts
from resources.alerts.slack import slack_payload
from resources.alerts.webhook import AlertNotSent, post
from resources.alerts.words import (
    blocked_release_alert,
    failure_alert,
    recovered_alert,
    refused_alert,
    stale_alert,
)
from tests.receiver import SECRET

VARIABLE = "CAUSALREC_ALERT_WEBHOOK"
LOG = logging.getLogger("tests.alerts")
ALERTS = {
    "failure": failure_alert("learning_assets", "2026-03-15", "outcome_model", "loss is NaN", "run-1"),
    "refused": refused_alert("clean_events", "2026-03-05", ["`click` is 2 in 3 rows"], "run-2", 4),
    "blocked_release": blocked_release_alert("2026-03-15", "not_better", "It loses revenue.", None, "run-3"),
    "stale": stale_alert("units", "2026-03-05", "its input `landing:events` has changed"),
    "recovered": recovered_alert("clean_events", "2026-03-05", 5, "run-4"),
}


@pytest.fixture
def home(tmp_path):
    return create_home(tmp_path / "home")


def declare(home, **changes):
    (home.data / "operations.yaml").write_text(yaml.safe_dump({"alerts": changes, "another": {"key": 1}}))


def texts(payload):
    """Every text of a message with its limit."""
    for block in payload["blocks"]:
        if block["type"] == "header":
            yield block["text"]["text"], 150
        elif "text" in block:
            yield block["text"]["text"], 3000
        for one in block.get("fields", ()):
            yield one["text"], 2000
    yield payload["text"], 3000


# -- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(ALERTS))
def test_every_alert_says_what_happened_what_is_served_and_what_to_do(kind):
    alert = ALERTS[kind]
    assert alert.kind is AlertKind(kind)
    assert len(alert.title) < 80
    assert alert.partition in alert.happened
    assert kind == "recovered" or ("Blocked: " in alert.happened and "Still served: " in alert.happened)
    assert alert.to_do.endswith(".")


def test_a_run_without_a_failed_step_and_without_words_still_makes_sense():
    alert = failure_alert("everything", None, None, "", "run-1")
    assert "outside of any step" in alert.happened
    assert "It left no message." in alert.happened
    assert "None" not in alert.happened + alert.title


def test_a_first_day_that_is_refused_leaves_nothing_to_read():
    assert "no earlier version" in refused_alert("units", "2026-03-02", ["wrong"], None, None).happened
    assert "version 4" in ALERTS["refused"].happened


def test_a_blocked_release_names_what_serves_on():
    assert "logging policy" in ALERTS["blocked_release"].happened
    assert "bundle of 2026-03-14" in blocked_release_alert("d", "v", "r", "the bundle of 2026-03-14", None).happened


# -- payload -------------------------------------------------------------------------------------------------------


def test_the_payload_has_slacks_shape():
    payload = slack_payload(ALERTS["failure"], "http://localhost:3000")
    assert set(payload) == {"text", "blocks", "link_names", "unfurl_links", "unfurl_media"}
    assert [block["type"] for block in payload["blocks"]] == ["header", "section", "section", "section", "section"]
    header, happened, to_do, facts, link = payload["blocks"]
    assert header["text"] == {"type": "plain_text", "text": ALERTS["failure"].title, "emoji": False}
    assert "loss is NaN" in happened["text"]["text"]
    assert to_do["text"]["text"].startswith("*What to do:* ")
    assert [one["text"] for one in facts["fields"]] == [
        "*Asset*\noutcome_model",
        "*Partition*\n2026-03-15",
        "*Run*\nrun-1",
    ]
    assert link["text"]["text"] == "<http://localhost:3000/runs/run-1|Open in Dagster>"
    assert "loss is NaN" in payload["text"]


def test_without_a_run_the_link_is_the_assets_and_without_a_ui_there_is_none():
    link = slack_payload(ALERTS["stale"], "http://ui")["blocks"][-1]["text"]["text"]
    assert link == "<http://ui/assets/units?view=partitions&partition=2026-03-05|Open in Dagster>"
    assert "Open in Dagster" not in json.dumps(slack_payload(ALERTS["stale"]))


@pytest.mark.parametrize("filling", ["x", "&", "😀", "é<!channel>"])
def test_long_texts_are_cut_with_a_mark_within_slacks_limits(filling):
    long = filling * 20_000
    payload = slack_payload(Alert(AlertKind.FAILURE, long, long, long, long, long, long), "http://ui")
    assert len(payload["blocks"]) <= 50
    for text, limit in texts(payload):
        assert len(text.encode("utf-16-le")) / 2 <= limit
        # The header is not escaped, and is counted as if it were.
        assert limit == 150 or len(text.encode("utf-16-le")) / 2 > limit * 0.95
        assert "…" in text
    assert payload["blocks"][0]["text"]["text"].endswith("…")
    assert payload["blocks"][1]["text"]["text"].endswith(slack.CUT)


def test_short_texts_are_whole():
    for kind, alert in ALERTS.items():
        assert "…" not in json.dumps(slack_payload(alert), ensure_ascii=False), kind


def test_an_error_message_calls_nobody():
    alert = failure_alert("job", "d", "s", "expected <!channel> & <@U1>", "run")
    sent = json.dumps(slack_payload(alert))
    assert "<!channel>" not in sent
    assert "&lt;!channel&gt; &amp; &lt;@U1&gt;" in sent


# -- sending -------------------------------------------------------------------------------------------------------


def test_the_message_arrives_whole_and_in_unicode(receiver):
    payload = slack_payload(failure_alert("job", "d", "s", "größer als 3 € – 猫 😀 \udc80", "run"))
    post(receiver.url, payload)
    assert receiver.got == [(f"/{SECRET}", "application/json; charset=utf-8", payload)]


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_passing_refusal_is_tried_again(receiver, status):
    receiver.answers = [(status, {})]
    post(receiver.url, {"text": "x"})
    assert len(receiver.got) == 2


@pytest.mark.parametrize("status", [500, 429])
def test_after_three_tries_it_gives_up_and_says_so(receiver, status):
    receiver.answers = [(status, {})] * 9
    with pytest.raises(AlertNotSent, match=rf"127\.0\.0\.1:{receiver.server_port} .* HTTP {status} .*\(3 attempt"):
        post(receiver.url, {"text": "x"})
    assert len(receiver.got) == 3


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_will_never_be_taken_is_sent_once(receiver, status):
    receiver.answers = [(status, {})] * 9
    with pytest.raises(AlertNotSent, match=rf"HTTP {status} .*\(1 attempt"):
        post(receiver.url, {"text": "x"})
    assert len(receiver.got) == 1


def test_a_redirect_is_no_success(receiver):
    receiver.answers = [(302, {"Location": "http://127.0.0.1/elsewhere"})]
    with pytest.raises(AlertNotSent, match="HTTP 302"):
        post(receiver.url, {"text": "x"})
    assert len(receiver.got) == 1


def test_retry_after_is_honoured(receiver):
    receiver.answers = [(429, {"Retry-After": "1"})]
    began = time.monotonic()
    post(receiver.url, {"text": "x"})
    assert time.monotonic() - began >= 1
    assert len(receiver.got) == 2


def test_retry_after_is_bounded_and_may_be_a_date_or_nonsense(receiver, monkeypatch):
    waited = []
    monkeypatch.setattr(webhook.time, "sleep", waited.append)
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=5), usegmt=True)
    for value in ("86400", later, "Thu, 01 Jan 1970 00:00:00 GMT", "soon"):
        receiver.answers = [(503, {"Retry-After": value})]
        post(receiver.url, {"text": "x"})
    assert waited[0] == webhook.LONGEST_WAIT_SECONDS
    assert 3 < waited[1] <= 5
    assert waited[2:] == [0, 0.01]


def test_all_tries_together_fit_into_a_sensors_minute():
    most = webhook.TRIES * webhook.TIMEOUT_SECONDS + (webhook.TRIES - 1) * webhook.LONGEST_WAIT_SECONDS
    assert most < 60


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_an_unreachable_receiver_is_tried_three_times_and_named_by_host(receiver):
    port = free_port()
    with pytest.raises(AlertNotSent, match=rf"127\.0\.0\.1:{port} .*Connection refused \(3 attempt"):
        post(f"http://127.0.0.1:{port}/{SECRET}", {"text": "x"})


def test_a_receiver_that_hangs_up_is_tried_again(receiver, monkeypatch):
    with socket.socket() as rude:
        rude.bind(("127.0.0.1", 0))
        rude.listen()
        calls = []

        def hang_up():
            for _ in range(3):
                call, _ = rude.accept()
                call.recv(100)
                call.close()
                calls.append(1)

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        with pytest.raises(AlertNotSent, match=r"\(3 attempt"):
            post(f"http://127.0.0.1:{rude.getsockname()[1]}/{SECRET}", {"text": "x"})
        thread.join()
    assert len(calls) == 3


def test_a_receiver_that_never_answers_is_left(receiver, monkeypatch):
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 0.1)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with pytest.raises(AlertNotSent, match="TimeoutError"):
            post(f"http://127.0.0.1:{mute.getsockname()[1]}/{SECRET}", {"text": "x"})


@pytest.mark.parametrize("answers", [[(404, {})], [(500, {})] * 3])
def test_the_secret_is_in_no_error_no_log_line_and_no_repr(receiver, home, monkeypatch, caplog, answers):
    receiver.answers = answers
    monkeypatch.setenv(VARIABLE, receiver.url)
    declare(home, on=["failure"])
    caplog.set_level(logging.DEBUG)
    with pytest.raises(AlertNotSent) as raised:
        Alerts(home=str(home.root)).send(ALERTS["failure"], LOG)
    error = raised.value
    # Chained errors are shown by Dagster too, and HTTPError knows its URL.
    assert error.__cause__ is None
    assert error.__context__ is None
    said = "".join(traceback.format_exception(error)) + caplog.text + repr(Alerts(home=str(home.root)).settings())
    assert "outcome_model" in caplog.text
    assert [part for part in SECRET.split("/") if part in said] == []


# -- settings ------------------------------------------------------------------------------------------------------


def test_the_template_parses_and_sends_nothing_without_the_variable(home, caplog):
    shipped = yaml.safe_load((TEMPLATE / "operations.yaml").read_text())
    settings = parse_alerts(shipped, {})
    assert settings.log
    assert settings.webhook == ""
    assert settings.dagster_ui == "http://localhost:3000"
    assert settings.on == set(AlertKind) - {AlertKind.RECOVERED}
    assert parse_alerts(shipped, {VARIABLE: "https://hooks.example.org/x"}).webhook == "https://hooks.example.org/x"
    assert Alerts(home=str(home.root)).send(ALERTS["refused"], LOG) == ["log"]
    assert "What to do: " in caplog.text


def test_the_log_and_the_webhook_are_both_told(receiver, home, monkeypatch, caplog):
    monkeypatch.setenv(VARIABLE, receiver.url)
    assert Alerts(home=str(home.root)).send(ALERTS["refused"], LOG) == ["log", "webhook"]
    assert receiver.got[0][2]["blocks"][-1]["text"]["text"].startswith("<http://localhost:3000/runs/run-2|")
    assert "Refused: clean_events of 2026-03-05" in caplog.text


def test_a_kind_that_is_off_goes_nowhere(receiver, home, monkeypatch, caplog):
    monkeypatch.setenv(VARIABLE, receiver.url)
    declare(home, on=["failure"])
    assert Alerts(home=str(home.root)).send(ALERTS["stale"], LOG) == []
    assert (receiver.got, caplog.text) == ([], "")


def test_the_log_can_be_off_and_the_variable_another(receiver, home, monkeypatch, caplog):
    monkeypatch.setenv("MY_HOOK", receiver.url)
    declare(home, log=False, webhook_env="MY_HOOK")
    assert Alerts(home=str(home.root)).send(ALERTS["stale"], LOG) == ["webhook"]
    assert caplog.text == ""


def test_the_bare_word_on_is_a_key_although_yaml_reads_true():
    assert parse_alerts(yaml.safe_load("alerts: {on: [stale]}"), {}).on == {AlertKind.STALE}
    assert parse_alerts(yaml.safe_load('alerts: {"on": [stale]}'), {}).on == {AlertKind.STALE}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sink": "x"}, r"operations.yaml: `alerts`: unknown key `sink`"),
        ({"log": "yes please"}, "operations.yaml: `alerts.log` must be true or false"),
        ({"on": ["failures"]}, "operations.yaml: `alerts.on` must be a list of .*refused"),
        ({"on": "failure"}, "`alerts.on` must be a list"),
        ({"dagster_ui": "localhost:3000"}, "`alerts.dagster_ui` must be a URL"),
        ({"webhook": None}, "`alerts.webhook` must be a URL"),
        ({"webhook_env": 3}, "`alerts.webhook_env` must be the name"),
        ([], "`alerts` must be a mapping"),
    ],
)
def test_wrong_settings_are_named_with_file_and_key(given, says):
    with pytest.raises(InputError, match=says):
        parse_alerts({"alerts": given}, {})


@pytest.mark.parametrize(
    "url", [f"hooks.example.org/{SECRET}", f"https://hooks.example.org/{SECRET} x", f"https://h:port/{SECRET}"]
)
def test_a_wrong_url_is_refused_and_not_repeated(url):
    for given, environment in (({"webhook": url}, {}), ({}, {VARIABLE: url}), ({"webhook_env": url}, {})):
        with pytest.raises(InputError) as raised:
            parse_alerts({"alerts": given}, environment)
        assert "s3cr3t" not in str(raised.value)
