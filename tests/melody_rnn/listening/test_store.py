import sqlite3

import pytest

from melody_rnn.listening.store import Store
from rl_tuner.errors import UserError


def test_another_programs_files_are_left_alone(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("not a database, " * 100)
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE songs (name)")
    before = foreign.read_bytes()
    for path in (text, foreign, tmp_path, tmp_path / "nowhere" / "study.db"):
        with pytest.raises(UserError, match="cannot use --study="):
            Store(path)
    assert foreign.read_bytes() == before
    assert text.read_text().startswith("not a database")


def test_a_study_of_another_version_is_refused(tmp_path):
    path = tmp_path / "study.db"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(UserError, match="version 99"):
        Store(path)


def test_a_transaction_is_whole_or_nothing(tmp_path):
    store = Store(tmp_path / "study.db")

    def half():
        with store.transaction() as connection:
            connection.execute("INSERT INTO settings VALUES ('a', 'b')")
            connection.execute("INSERT INTO nothing VALUES (1)")

    with pytest.raises(sqlite3.OperationalError):
        half()
    assert store.setting("a", "c") == "c"
    assert store.setting("a", "d") == "c"
    (mode,) = store.row("PRAGMA journal_mode")
    (synchronous,) = store.row("PRAGMA synchronous")
    assert (mode, synchronous) == ("wal", 2)
