"""The listening page as a command."""

import concurrent.futures
import http.client
import re
import signal
import socket
import sqlite3

import pytest

pytest.importorskip("flask", reason="flask is missing: pip install '.[listen]'")

from binaries import assert_refused, run_binary
from listening_study import (
    Browser,
    Listener,
    listen,
    make_study,
    save_run,
    stored_ratings,
)

from rl_tuner.networks.sequence_rnn import SequenceRNN


def melodies_of(port, model):
    page = Browser(port).get(f"/browse?model={model}")
    return re.findall(r"/melodies/(\w+)\.mid", page)


def test_models_are_heard_once_generated(tmp_path):
    prior = SequenceRNN(38, (8,))
    prior.save(tmp_path / "prior")
    save_run(tmp_path / "run", prior, {"rules": "corrected", "key": "A minor"})
    study = f"--study={tmp_path / 'study.db'}"
    models = f"--models=mle={tmp_path / 'prior'},q={tmp_path / 'run'}"
    with listen(models, study, "--num_melodies=3", "--num_steps=16") as (_, port):
        before = melodies_of(port, 1), melodies_of(port, 2)
        page = Browser(port).get("/browse?model=1")
        assert "corrected rules, A minor" in page
        for rule in ("tonic", "repeated motif", "unique extrema"):
            assert f'<th scope="row">{rule}</th>' in page
        browser = Browser(port)
        token = browser.token(browser.get("/browse"))
        wanted = {"count": 2, "seed": 5, "temperature": 1}
        assert browser.post("/browse/2/more", token, **wanted) == 303
        assert len(melodies_of(port, 2)) == 5
    assert [len(ids) for ids in before] == [3, 3]
    with listen(study) as (process, port):  # the models are not needed any more
        assert (melodies_of(port, 1), melodies_of(port, 2)[2:]) == before
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0
        assert "The study is kept in" in out
        assert err == ""  # TensorFlow was not loaded


def test_votes_survive_a_kill(tmp_path):
    store, _ = make_study(tmp_path, "abcd", num_melodies=10)
    store.close()
    worth = dict.fromkeys("abcd", 0.0)
    acknowledged = {}
    for life in range(3):
        with listen(f"--study={store.path}") as (process, port):
            listeners = [
                Listener(port, store.path, f"rater {number}", worth)
                for number in range(10)
            ]

            def vote(listener, life=life, process=process):
                for _ in range(1000):
                    listener.sit(1)
                    if listener.name == "rater 0" and len(listener.acknowledged) == 3:
                        process.kill()  # while the others are voting

            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                for future in [pool.submit(vote, each) for each in listeners]:
                    error = future.exception()
                    assert isinstance(error, OSError | http.client.HTTPException)
            assert process.wait(30) == -signal.SIGKILL
        for listener in listeners:
            assert not acknowledged.keys() & listener.acknowledged.keys()
            acknowledged |= listener.acknowledged
        stored = stored_ratings(store.path)
        assert stored.items() >= acknowledged.items()
        # A vote may have been stored, and its rater never have heard of it.
        assert len(stored) <= len(acknowledged) + 10 * (life + 1)
        with sqlite3.connect(store.path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(acknowledged) >= 9


def test_bad_input_is_refused_in_one_line(tmp_path):
    (tmp_path / "text.db").write_text("no study " * 200)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for flags, message in (
            ([f"--port={port}", "--study=a.db"], f"cannot listen at --port={port}"),
            (["--models=q=nowhere"], "no model 'q' at nowhere"),
            (["--study=text.db"], "cannot use --study=text.db: file is not a database"),
            (["--temperature=nan"], "--temperature=nan must be above 0"),
        ):
            result = run_binary("rl_tuner_listen", *flags, cwd=tmp_path)
            assert_refused(result, message)
    assert (tmp_path / "text.db").read_text().startswith("no study")


def test_help_is_worth_reading(tmp_path):
    result = run_binary("rl_tuner_listen", "--help", cwd=tmp_path)
    assert result.returncode == 0
    for word in ("listening study", "--models", "--study", "--port", "127.0.0.1"):
        assert word in result.stdout
