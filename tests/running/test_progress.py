"""What a long command says while it works."""

from causalrec_assets.running import progress as module
from causalrec_assets.running.progress import Progress


def test_what_runs_is_said_again_after_a_minute_where_lines_cannot_be_written_over(monkeypatch):
    said, now = [], [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    progress = Progress(said.append, live=False)
    progress.begins("logs 2026-03-02 (1 of 14)")
    progress.begins("logs 2026-03-02 (1 of 14)", "clean_events")
    progress.look()
    now[0] = 75.0
    progress.look()
    now[0] = 80.0
    progress.look()
    assert said == ["... logs 2026-03-02 (1 of 14): clean_events, 75 s"]


def test_a_terminal_is_told_at_once_in_one_line(capsys):
    progress = Progress(print, live=True)
    progress.begins("logs 2026-03-02 (1 of 14)", "history")
    progress.ends("logs 2026-03-02 (1 of 14)", "done")
    out = capsys.readouterr().out
    assert out.startswith("\r\033[Klogs 2026-03-02 (1 of 14): history, 0 s")
    assert out.endswith("\r\033[Kdone\n")


def test_what_is_over_is_not_running():
    progress = Progress(lambda line: None, live=False)
    progress.begins("a")
    progress.begins("b")
    progress.ends("a", "a is done")
    assert progress.running == ["b"]
