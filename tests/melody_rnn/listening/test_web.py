"""What the page shows, and what it refuses, over real HTTP."""

import concurrent.futures
import re
import socket

import pytest

pytest.importorskip("flask", reason="flask is missing: pip install '.[listen]'")

import note_seq
from listening_study import Browser, make_study, models_of, serve, stored_ratings

from rl_tuner.errors import UserError


@pytest.fixture(name="site")
def _site(tmp_path):
    """A browser at a study of two models, and the study's file."""
    store, catalogue = make_study(tmp_path, ["modelled_on_data", "tuned"])
    with serve(store, catalogue) as port:
        yield Browser(port), store.path


def begin(browser, name="Ann"):
    """Joins; returns the token and the path of the vote on the open trial."""
    browser.join(name)
    token, trial = browser.trial()
    return token, f"/study/{trial}/vote"


def test_a_trial_says_nothing_of_the_models(site):
    browser, path = site
    _, vote = begin(browser)
    page = browser.get("/study")
    trial = vote.split("/")[2]
    assert set(models_of(path, trial)) == {"modelled_on_data", "tuned"}
    browse = browser.get("/browse")
    secrets = {"modelled_on_data", "tuned", *re.findall(r"/melodies/(\w+)", browse)}
    sounds = set(re.findall(r'src="(/study/[^"]+)"', page))
    assert len(sounds) == 2
    for sound in sounds:
        status, headers, content = browser.request("GET", sound)
        assert (status, content[:4]) == (200, b"RIFF")
        page += str(headers)
    assert len(secrets) > 5
    assert not [secret for secret in secrets if secret in page]


def test_votes_show_in_results_and_csv(site):
    browser, _ = site
    assert "Nobody has judged" in browser.get("/results")
    token, vote = begin(browser)
    assert browser.post(vote, token, rating=5) == 303
    assert "1 rating by 1 rater" in browser.get("/results")
    _, headers, content = browser.request("GET", "/results.csv")
    assert headers["Content-Type"].startswith("text/csv")
    assert "attachment" in headers["Content-Disposition"]
    header, row = content.decode().splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["rating"] == "5"
    assert "Ann" not in row


def test_a_rater_comes_back_from_elsewhere(site):
    browser, _ = site
    token, vote = begin(browser)
    assert begin(Browser(browser.port))[1] == vote  # the open trial waits
    assert browser.post(vote, token, rating=2) == 303
    token = browser.token(browser.get("/study"))
    assert browser.post("/study/leave", token) == 303
    assert "Your name" in browser.get("/study")
    browser.join("ANN")
    assert "Pair 2 of" in browser.get("/study")


def test_a_rest_comes_after_a_sitting_and_an_end_after_all(tmp_path):
    store, catalogue = make_study(tmp_path, "ab", num_melodies=4)
    with serve(store, catalogue) as port:
        browser = Browser(port)
        token, vote = begin(browser)
        for _ in range(10):
            assert browser.post(vote, token, rating=3) == 303
            trial = browser.trial()
            vote = trial and f"/study/{trial[1]}/vote"
        rest = browser.get("/study")
        assert "Your 10 answers are stored" in rest
        assert browser.trial() is None  # a reload hands nothing out
        assert browser.post("/study/go_on", token) == 303
        for _ in range(6):
            _, trial = browser.trial()
            assert browser.post(f"/study/{trial}/vote", token, rating=3) == 303
        assert "judged every pair" in browser.get("/study")


def test_replayed_votes_are_refused_and_change_nothing(site):
    browser, path = site
    token, vote = begin(browser)
    assert browser.post(vote, token, rating=5) == 303
    for rating in (5, 1):
        assert browser.post(vote, token, rating=rating) == 409
    assert list(stored_ratings(path).values()) == [5]


def test_a_vote_sent_many_times_at_once_counts_once(site):
    browser, path = site
    token, vote = begin(browser)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        codes = list(
            pool.map(lambda n: browser.post(vote, token, rating=1 + n % 5), range(20))
        )
    assert sorted(codes) == [303] + [409] * 19
    assert len(stored_ratings(path)) == 1


def test_votes_of_others_and_of_nobody_are_refused(site):
    browser, path = site
    _, vote = begin(browser)
    bob = Browser(browser.port)
    token, _ = begin(bob, "Bob")
    assert bob.post(vote, token, rating=3) == 404
    sound = vote.replace("vote", "first.wav")
    assert bob.request("GET", sound)[0] == 404
    stranger = Browser(browser.port)
    token = stranger.token(stranger.get("/study"))
    assert stranger.post(vote, token, rating=3) == 403
    assert stranger.request("GET", sound)[0] == 404
    assert not stored_ratings(path)


@pytest.mark.parametrize("rating", ["0", "6", "-1", "2.5", "nan", "", "1; DROP TABLE"])
def test_what_is_no_rating_is_refused(site, rating):
    browser, path = site
    token, vote = begin(browser)
    assert browser.post(vote, token, rating=rating) == 400
    assert not stored_ratings(path)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_posts_from_other_sites_are_refused(site, headers):
    browser, path = site
    token, vote = begin(browser)
    assert browser.post(vote, token, headers=headers, rating=3) == 403
    assert not stored_ratings(path)


@pytest.mark.parametrize("token", ["", "x" * 32, "é"])
def test_posts_without_the_token_are_refused(site, token):
    browser, path = site
    _, vote = begin(browser)
    assert browser.post(vote, token, rating=3) == 403
    stolen = Browser(browser.port)
    stolen_token = stolen.token(stolen.get("/study"))  # good, but of another session
    assert browser.post(vote, stolen_token, rating=3) == 403
    assert not stored_ratings(path)


def test_posts_from_here_are_taken(site):
    browser, path = site
    token, vote = begin(browser)
    here = {
        "Host": f"localhost:{browser.port}",
        "Origin": f"http://localhost:{browser.port}",
        "Sec-Fetch-Site": "same-origin",
    }
    assert browser.post(vote, token, headers=here, rating=3) == 303
    assert len(stored_ratings(path)) == 1


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0", "192.168.0.1", "a b"]
)
@pytest.mark.parametrize("page", ["/browse", "/static/style.css", "/results.csv", "/x"])
def test_foreign_hosts_are_refused(site, host, page):
    browser, _ = site
    status, headers, content = browser.request("GET", page, headers={"Host": host})
    assert status == 400
    assert "Set-Cookie" not in headers
    assert content == b"This page is for this machine only.\n"


def test_only_this_machine_is_listened_to(site):
    browser, _ = site
    address = socket.gethostbyname(socket.gethostname())
    if address.startswith("127."):
        address = "127.0.0.2"  # of this machine too, but not bound
    with socket.socket() as other, pytest.raises(OSError, match="refused"):
        other.connect((address, browser.port))


def test_oversize_bodies_are_refused(site):
    browser, path = site
    token, vote = begin(browser)
    body = f"csrf={token}&rating=3&more={'x' * 17_000}".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.request("POST", vote, body, headers)[0] == 413
    in_chunks = iter([body[:9000], body[9000:]])
    assert browser.request("POST", vote, in_chunks, headers)[0] == 411
    claimed = {**headers, "Content-Length": str(10**12)}
    assert browser.request("POST", vote, b"", claimed)[0] == 413
    assert not stored_ratings(path)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../store.py",
        "/static/..%2fstore.py",
        "/static/%2e%2e/%2e%2e/store.py",
        "/static//etc/passwd",
        "/melodies/../../study.db",
        "/melodies/..%2f..%2fstudy.db.mid",
        "/melodies/%00.wav",
        "/melodies/x' OR 1=1 --.mid".replace(" ", "%20"),
        "/study/../first.wav",
        "/study/x/third.wav",
        "/study.db",
        "/browse?model=99",
        "/browse?model=../x",
    ],
)
def test_path_tricks_find_nothing(site, path):
    browser, _ = site
    browser.join("Ann")
    status, _, content = browser.request("GET", path)
    assert status == 404
    assert b"SQLite" not in content
    assert b"root:" not in content


@pytest.mark.parametrize("path", ["/study/join", "/study/go_on", "/browse/1/more"])
def test_other_methods_are_refused(site, path):
    browser, _ = site
    assert browser.request("GET", path)[0] == 405


def test_what_a_rater_writes_is_shown_as_text(site):
    browser, _ = site
    browser.join("<script>1</script>")
    page = browser.get("/study")
    assert "&lt;script&gt;1" in page
    assert "<script>1" not in page


def test_pages_allow_nothing_from_elsewhere(site):
    browser, _ = site
    browser.join("Ann")
    for page in ("/browse", "/study", "/results", "/nothing"):
        _, headers, content = browser.request("GET", page)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert b" style=" not in content
        links = re.findall(rb'(?:src|href|action)="([^"]*)"', content)
        assert links
        assert all(link.startswith((b"/", b"#")) for link in links)
    _, headers, _ = Browser(browser.port).request("GET", "/study")
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_sound_comes_in_parts(site):
    browser, _ = site
    sound = re.search(r"/melodies/\w+\.wav", browser.get("/browse"))[0]
    whole = browser.request("GET", sound)[2]
    status, headers, part = browser.request(
        "GET", sound, headers={"Range": "bytes=100-199"}
    )
    assert (status, part) == (206, whole[100:200])
    assert headers["Content-Range"] == f"bytes 100-199/{len(whole)}"


def test_midi_is_the_melody(site):
    browser, _ = site
    address = re.search(r"/melodies/\w+\.mid", browser.get("/browse"))[0]
    _, headers, content = browser.request("GET", address)
    notes = note_seq.midi_to_note_sequence(content).notes
    assert [note.pitch for note in notes] == [60, 62]
    assert "modelled_on_data seed 0 melody 1.mid" in headers["Content-Disposition"]


def test_favourites_are_kept(site):
    browser, _ = site
    page = browser.get("/browse")
    melody = re.search(r"/melodies/(\w+)\.mid", page)[1]
    token = browser.token(page)
    assert melody not in browser.get("/browse?favourites=1")
    assert browser.post(f"/melodies/{melody}/favourite", token, keep=1) == 303
    assert melody in browser.get("/browse?favourites=1")
    assert browser.post(f"/melodies/{melody}/favourite", token, keep=0) == 303
    assert melody not in browser.get("/browse?favourites=1")
    assert browser.post("/melodies/nothing/favourite", token, keep=1) == 404


def test_more_melodies_stay_out_of_the_study(site):
    browser, _ = site
    token = browser.token(browser.get("/browse"))
    wanted = {"count": 3, "seed": 7, "temperature": 0.8}
    for _ in range(2):  # the same seed again adds nothing
        assert browser.post("/browse/1/more", token, **wanted) == 303
        page = browser.get("/browse?model=1")
        assert page.count("data-player") == 4 + 3
        assert page.count("in the study") == 4
        assert page.index("seed 7, melody 1") < page.index("seed 0, melody 1")
    assert "temperature 0.8" in page
    assert browser.get("/browse?model=2").count("data-player") == 4
    assert browser.post("/browse/9/more", token, **wanted) == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", "0"),
        ("count", "51"),
        ("count", "many"),
        ("seed", "-1"),
        ("seed", "9" * 5000),
        ("temperature", "nan"),
        ("temperature", "0"),
        ("temperature", "inf"),
    ],
)
def test_bad_numbers_are_refused(site, name, value):
    browser, _ = site
    token = browser.token(browser.get("/browse"))
    wanted = {"count": 3, "seed": 7, "temperature": 0.8, name: value}
    assert browser.post("/browse/1/more", token, **wanted) == 400
    assert browser.get("/browse?model=1").count("data-player") == 4


def test_a_model_that_has_changed_generates_no_more(site):
    browser, path = site
    token = browser.token(browser.get("/browse"))
    config = path.parent / "model_modelled_on_data" / "config.json"
    wanted = {"count": 3, "seed": 7, "temperature": 1}
    config.write_text("trained on")
    assert browser.post("/browse/1/more", token, **wanted) == 400
    config.unlink()
    assert browser.post("/browse/1/more", token, **wanted) == 400
    assert browser.get("/browse?model=1").count("data-player") == 4


def test_no_model_and_one_model_are_told_kindly(tmp_path):
    store, catalogue = make_study(tmp_path, [])
    with serve(store, catalogue) as port:
        browser = Browser(port)
        assert "No models yet" in browser.get("/browse")
        for page in ("/study", "/results"):
            assert "Two models make a study" in browser.get(page)
    store, catalogue = make_study(tmp_path, ["lonely"])
    with serve(store, catalogue) as port:
        browser = Browser(port)
        assert "lonely" in browser.get("/browse")
        for page in ("/study", "/results"):
            assert "Two models make a study" in browser.get(page)


def test_pages_of_melodies(tmp_path):
    store, catalogue = make_study(tmp_path, "a", num_melodies=23)
    with serve(store, catalogue) as port:
        browser = Browser(port)
        shown = [
            re.findall(r"/melodies/(\w+)\.mid", browser.get(f"/browse?page={number}"))
            for number in (1, 2, 3, 99, -5)
        ]
    assert [len(page) for page in shown] == [10, 10, 3, 3, 10]
    assert len({*shown[0], *shown[1], *shown[2]}) == 23


def test_a_study_keeps_its_settings_and_models(tmp_path):
    make_study(tmp_path, "ab", num_melodies=3)[0].close()
    _, catalogue = make_study(tmp_path, "ab", num_melodies=None, num_steps=None)
    assert catalogue.settings.num_melodies == 3
    with pytest.raises(UserError, match="begun with --num_melodies=3"):
        make_study(tmp_path, "ab", num_melodies=4)
    (tmp_path / "model_a" / "config.json").write_text("another")
    with pytest.raises(UserError, match="another model named 'a'"):
        catalogue.add_models(
            [source for source in make_sources(tmp_path) if source.name == "a"]
        )


def make_sources(directory):
    from melody_rnn.listening import sources

    return sources.parse_models(f"a={directory}/model_a,b={directory}/model_b")
