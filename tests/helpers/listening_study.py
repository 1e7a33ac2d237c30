"""A study without models, its server, and raters that vote over HTTP."""

import contextlib
import dataclasses
import http.client
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.parse

from melody_rnn.listening.catalogue import Catalogue
from melody_rnn.listening.sources import ModelSource
from melody_rnn.listening.store import Store
from melody_rnn.listening.study_settings import StudySettings
from melody_rnn.listening.web import create_app, make_local_server
from rl_tuner.config import RLTunerConfig
from rl_tuner.formats.npz_checkpoint import CONFIG_NAME
from rl_tuner.runs import run_directory
from rl_tuner.runs.run_directory import RunSettings


class FakeMelody:
    """What a maker makes: C4, then one note that tells melodies apart."""

    def __init__(self, number, num_steps):
        self.classes = [14, 0, 16 + number % 20] + [0] * (num_steps - 3)
        self.rewards = {"key": [0.0] * num_steps, "tonic": [3.0, -1.0]}


class FakeMaker:
    """Takes TensorFlow's place."""

    def make(self, count, num_steps, temperature, seed):
        assert temperature > 0
        return [FakeMelody(seed + number, num_steps) for number in range(count)]


def make_study(directory, names="abcd", num_melodies=4, num_steps=4):
    """A store in `directory` with a model of each name, and its catalogue."""
    store = Store(directory / "study.db")
    settings = StudySettings.of_study(
        store, num_melodies=num_melodies, num_steps=num_steps
    )
    catalogue = Catalogue(store, settings, lambda model: FakeMaker())
    sources = []
    for name in names:
        model = directory / f"model_{name}"
        model.mkdir(exist_ok=True)
        (model / CONFIG_NAME).write_text(f"the model {name}")
        sources.append(ModelSource(name, model))
    catalogue.add_models(sources)
    return store, catalogue


@contextlib.contextmanager
def serve(store, catalogue):
    """Serves the study from a thread; yields the port."""
    server = make_local_server(create_app(store, catalogue), 0)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Browser:
    """A browser's cookies and forms, and nothing else of it."""

    def __init__(self, port):
        self.port = port
        self.cookie = ""

    def request(self, method, path, body=None, headers=()):
        """Returns status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Cookie": self.cookie, **dict(headers)}
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        cookie = response.getheader("Set-Cookie")
        if cookie:
            self.cookie = cookie.partition(";")[0]
        return response.status, response.headers, content

    def get(self, path):
        """The body of a page that is there."""
        status, _, content = self.request("GET", path)
        assert status == 200, (path, status, content)
        return content.decode()

    def token(self, page):
        """The token in a page's forms."""
        return re.search(r'name="csrf" value="([^"]+)"', page)[1]

    def post(self, path, token, headers=(), **fields):
        """Sends a form; returns the status."""
        body = urllib.parse.urlencode({"csrf": token, **fields})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", path, body, {**kind, **dict(headers)})[0]

    def join(self, name):
        """Enters the study."""
        token = self.token(self.get("/study"))
        assert self.post("/study/join", token, name=name) == 303

    def trial(self):
        """The token and the id of the trial on the page; None if there is none."""
        page = self.get("/study")
        found = re.search(r"/study/(\w+)/vote", page)
        return (self.token(page), found[1]) if found else None


class Listener:
    """Rates by what models are worth to it, with noise of its own.

    Attributes:
      acknowledged: {trial id: rating} of the votes that the server has confirmed.
    """

    def __init__(self, port, study_path, name, worth, noise=1.0):
        self.browser = Browser(port)
        self.study_path = study_path
        self.name = name
        self.worth = worth
        self.noise = noise
        self.random = random.Random(name)
        self.acknowledged = {}

    def sit(self, num_votes):
        """Joins, and votes until a rest or as often as asked."""
        self.browser.join(self.name)
        for _ in range(num_votes):
            open_trial = self.browser.trial()
            if open_trial is None:
                return
            token, trial = open_trial
            rating = self.rate(trial)
            path = f"/study/{trial}/vote"
            assert self.browser.post(path, token, rating=rating) == 303
            self.acknowledged[trial] = rating

    def rate(self, trial):
        """Looks behind the curtain, as no page lets a rater."""
        first, second = models_of(self.study_path, trial)
        liking = self.worth[second] - self.worth[first]
        liking += self.random.gauss(0.0, self.noise)
        return min(5, max(1, round(3 + liking)))


def models_of(study_path, trial):
    """The models of a trial, in the order of its melodies."""
    with contextlib.closing(sqlite3.connect(study_path, timeout=60)) as connection:
        return connection.execute(
            """
            SELECT first_models.name, second_models.name FROM trials
            JOIN melodies AS firsts ON firsts.id = first_melody
            JOIN melodies AS seconds ON seconds.id = second_melody
            JOIN models AS first_models ON first_models.id = firsts.model_id
            JOIN models AS second_models ON second_models.id = seconds.model_id
            WHERE trials.public_id = ?""",
            (trial,),
        ).fetchone()


def stored_ratings(study_path):
    """{trial id: rating} of all votes in the file."""
    with contextlib.closing(sqlite3.connect(study_path, timeout=60)) as connection:
        return dict(
            connection.execute(
                "SELECT public_id, rating FROM trials WHERE rating IS NOT NULL"
            )
        )


def save_run(directory, prior, task_settings):
    """Leaves what rl_tuner_train leaves of a run in which nothing was learned."""
    config = dataclasses.asdict(RLTunerConfig())
    settings = RunSettings("melody", task_settings, "prior", 10, config)
    directory.mkdir()
    run_directory.write_settings(directory, settings)
    prior.save(directory / run_directory.Q_NETWORK_NAME)
    prior.save(directory / run_directory.REWARD_RNN_NAME)


@contextlib.contextmanager
def listen(*flags):
    """Runs rl_tuner_listen on a free port; yields the process and the port."""
    script = pathlib.Path(sys.executable).with_name("rl_tuner_listen")
    with subprocess.Popen(
        [script, "--port=0", *map(str, flags)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What runs in the background of a shell ignores Ctrl-C, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            line = process.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            assert address, (line, process.stderr.read())
            yield process, int(address[1])
        finally:
            process.kill()
