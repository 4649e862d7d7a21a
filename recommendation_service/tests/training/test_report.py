import io
import time

from recommendation_service.training import report as reports
from recommendation_service.training.report import Report


def test_a_stage_is_one_line_on_stdout_and_progress_stays_on_stderr(monkeypatch):
    monkeypatch.setattr(reports, "PLAIN_EVERY_S", 0.0)
    out, err = io.StringIO(), io.StringIO()
    report = Report(out, err)
    with report.progress("startups/als") as step:
        step(1, 2, "loss 3.0")
    report.stage("startups", "als", 12_345, 1.23, "NDCG@10 0.2000")
    assert out.getvalue() == "startups   als            12,345 rows    1.2 s  NDCG@10 0.2000\n"
    assert err.getvalue() == "startups/als 1/2 loss 3.0\n"


def test_plain_progress_is_quiet_between_two_lines():
    err = io.StringIO()
    with Report(io.StringIO(), err).progress("x") as step:
        for done in range(100):
            step(done, 100, "")
    assert err.getvalue() == ""


def test_a_terminal_gets_a_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    err = Terminal()
    with Report(io.StringIO(), err).progress("startups/als") as step:
        step(1, 2, "half")
    assert "startups/als" in err.getvalue()


def test_warnings_stand_out_on_stderr():
    err = io.StringIO()
    Report(io.StringIO(), err).warn("loses to popularity")
    assert err.getvalue() == "WARNING: loses to popularity\n"


def test_a_report_of_every_step_prints_each_on_a_line():
    out = io.StringIO()
    report = Report(out, io.StringIO(), every_step=True)
    with report.progress("cleaners/neural") as step:
        step(1, 50, "loss 0.5")
        step(2, 50, "loss 0.4")
    with report.progress("cleaners/tune neural", step="try") as step:
        step(1, 9, "0.1")
    assert out.getvalue().splitlines() == [
        "cleaners/neural       epoch 1/50  loss 0.5",
        "cleaners/neural       epoch 2/50  loss 0.4",
        "cleaners/tune neural  try 1/9  0.1",
    ]


def test_a_long_step_that_says_nothing_is_said_to_be_at_work(monkeypatch):
    monkeypatch.setattr(reports, "SILENT_AT_MOST_S", 0.2)
    err = io.StringIO()
    report = Report(io.StringIO(), err)
    with report.alive("startups/check"):
        time.sleep(0.5)
        with report.progress("startups/ease"):
            time.sleep(0.5)
    told = err.getvalue()
    assert "startups/check: still at work, 0 s" in told
    assert "startups/ease: still at work, " in told
    time.sleep(0.5)
    assert err.getvalue() == told


def test_what_speaks_for_itself_is_not_interrupted(monkeypatch):
    monkeypatch.setattr(reports, "SILENT_AT_MOST_S", 0.5)
    err = io.StringIO()
    report = Report(io.StringIO(), err)
    with report.alive("startups/check"):
        for _ in range(10):
            report.line("a line")
            time.sleep(0.1)
    assert err.getvalue() == ""
