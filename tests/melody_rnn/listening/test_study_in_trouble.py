"""A study whose file is damaged, locked, full, or shared: no vote is lost."""

import concurrent.futures
import contextlib
import os
import pathlib
import sqlite3

import pytest

pytest.importorskip("flask", reason="flask is missing: pip install '.[listen]'")

from listening_study import Browser, Listener, make_study, serve, stored_ratings

from melody_rnn.listening import catalogue as catalogues
from melody_rnn.listening import sources
from melody_rnn.listening.store import Store
from rl_tuner.errors import UserError


def test_damaged_study_is_refused(tmp_path):
    store, _ = make_study(tmp_path, "ab")
    store.close()
    data = bytearray(store.path.read_bytes())
    data[4096:12288] = os.urandom(8192)
    store.path.write_bytes(data)
    with pytest.raises(UserError, match="cannot use --study="):
        Store(store.path)


def test_what_sqlite_cannot_do_is_told_in_a_line(tmp_path):
    store, _ = make_study(tmp_path, "ab")
    with pytest.raises(UserError, match=r"study.db: no such table: x"), store.told():
        store.rows("SELECT * FROM x")


def _vote_in_trouble(directory, begin, end):
    """The answers of the server before and after, and what is stored at the end."""
    store, catalogue = make_study(directory, "ab", num_melodies=2)
    with serve(store, catalogue) as port:
        browser = Browser(port)
        browser.join("rater")
        token, trial = browser.trial()
        begin(store)
        path = f"/study/{trial}/vote"
        status, _, page = browser.request(
            "POST",
            path,
            f"csrf={token}&rating=2",
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert b"Nothing was stored" in page
        assert stored_ratings(store.path) == {}
        end(store)
        again = browser.post(path, token, rating=2)
    assert stored_ratings(store.path) == {trial: 2}
    return status, again


def test_vote_in_a_locked_study_is_told_and_may_be_sent_again(tmp_path, capsys):
    other = sqlite3.connect(":memory:", isolation_level=None)

    def lock(store):
        store.rows("PRAGMA busy_timeout = 50")
        other.execute("ATTACH ? AS study", (str(store.path),))
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE study.raters SET joined_at = 0")

    def unlock(store):
        other.execute("ROLLBACK")
        store.rows("PRAGMA busy_timeout = 30000")

    assert _vote_in_trouble(tmp_path, lock, unlock) == (503, 303)
    assert "/vote: database is locked\n" in capsys.readouterr().err


def test_vote_on_a_full_disk_is_told_and_may_be_sent_again(tmp_path, monkeypatch):
    real = Store.transaction

    @contextlib.contextmanager
    def full(self):
        with real(self) as connection:
            yield connection
            raise sqlite3.OperationalError("database or disk is full")

    def fill(store):
        monkeypatch.setattr(Store, "transaction", full)

    assert _vote_in_trouble(tmp_path, fill, lambda _: monkeypatch.undo()) == (503, 303)


def test_two_servers_share_a_study(tmp_path):
    store, catalogue = make_study(tmp_path, "abc", num_melodies=6)
    twin, twin_catalogue = make_study(tmp_path, "abc", num_melodies=6)

    def sit(port, name):
        listener = Listener(port, store.path, name, dict.fromkeys("abc", 0.0))
        listener.sit(3)
        return listener.acknowledged

    with (
        serve(store, catalogue) as one,
        serve(twin, twin_catalogue) as other,
        concurrent.futures.ThreadPoolExecutor(4) as pool,
    ):
        names = [f"rater {number}" for number in range(4)]
        cast = list(pool.map(sit, [one, other] * 2, names))
    assert [len(each) for each in cast] == [3] * 4
    assert stored_ratings(store.path) == cast[0] | cast[1] | cast[2] | cast[3]


def test_two_processes_begin_a_study_at_one_moment(tmp_path):
    path = tmp_path / "study.db"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: Store(path), range(8)))
    assert len({store.setting("key", str(id(store))) for store in stores}) == 1


def test_model_that_another_process_has_just_added_is_taken(tmp_path, monkeypatch):
    store, catalogue = make_study(tmp_path, "a")
    row, asked = store.row, []

    def blind(query, parameters=()):
        found = row(query, parameters)
        if "FROM models WHERE name" in query and not asked:
            asked.append(query)
            return None
        return found

    monkeypatch.setattr(store, "row", blind)
    catalogue.add_models([sources.ModelSource("a", tmp_path / "model_a")])
    assert len(catalogue.models()) == 1


def test_folder_of_a_model_may_have_a_name_of_any_encoding():
    for name in (b"/m\xc3\xbc", b"/m\xfc"):
        path = pathlib.Path(os.fsdecode(name))
        stored = catalogues._storable(path)
        assert stored == (name.decode() if name[-1] == 0xBC else name)
        assert pathlib.Path(os.fsdecode(stored)) == path


@pytest.mark.parametrize("name", ["=1+1", "<b>x</b>", "x" * 10_000, "-a", "@a", "+a"])
def test_names_that_pages_and_spreadsheets_would_run_are_refused(name):
    with pytest.raises(UserError, match="has the name") as refused:
        sources.parse_models(f"{name}=somewhere".replace("=1", "\N{EQUALS SIGN}1"))
    assert len(str(refused.value)) < 200
