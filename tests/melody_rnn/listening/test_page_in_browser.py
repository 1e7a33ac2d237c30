"""The page in a real browser: Debian's Chromium, driven by Selenium."""

import functools
import shutil
import time

import pytest

pytest.importorskip("flask", reason="flask is missing: pip install '.[listen]'")
pytest.importorskip("selenium", reason="selenium is missing: pip install '.[test]'")

from listening_study import Listener, make_study, serve, stored_ratings
from selenium import webdriver
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="Chromium or its driver is missing: apt-get install chromium-driver",
)
pytestmark = needs_chromium

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
)


class Page:
    """A browser, and the site it is at."""

    def __init__(self, driver, port, study_path):
        self.driver = driver
        self.study_path = study_path
        self.port = port

    def open(self, path):
        self.driver.get(f"http://127.0.0.1:{self.port}{path}")

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def press(self, *keys):
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def js(self, script, *arguments):
        return self.driver.execute_script(f"return {script}", *arguments)

    def wait(self, condition):
        # While a page goes and the next one comes, what was found is gone.
        gone = (NoSuchElementException, StaleElementReferenceException)
        WebDriverWait(self.driver, 20, 0.05, gone).until(lambda _: condition())

    def vote_address(self):
        return self.js("document.querySelector('#vote')?.action")

    def current_time(self, index):
        return self.js(f"document.querySelectorAll('audio')[{index}].currentTime")

    def is_playing(self, index):
        return not self.js(f"document.querySelectorAll('audio')[{index}].paused")

    def votes(self):
        return list(stored_ratings(self.study_path).values())

    def join(self, name="Ann"):
        self.open("/study")
        self.find("input[name=name]").send_keys(name, Keys.ENTER)
        self.wait(lambda: self.find_all("#vote"))


@pytest.fixture(name="driver", scope="module")
def _driver(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(name="page")
def _page(driver, tmp_path):
    store, catalogue = make_study(tmp_path, ["mle", "q"], num_melodies=4, num_steps=16)
    with serve(store, catalogue) as port:
        yield Page(driver, port, store.path)
        driver.get("about:blank")
        # The page's policy forbids what it does not need, so nothing may offend it.
        complaints = [
            entry
            for entry in driver.get_log("browser")
            if "status of 409" not in entry["message"]
        ]
        assert complaints == []
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})


def test_play_starts_and_the_piano_roll_follows(page):
    page.open("/browse")
    page.find(".play").click()
    page.wait(lambda: page.current_time(0) > 0.5)
    assert page.is_playing(0)
    assert "Pause seed 0, melody 1" in page.find(".play").get_attribute("aria-label")
    head = page.find(".playhead")
    before = float(head.get_attribute("x1"))
    page.wait(lambda: float(head.get_attribute("x1")) > before)
    # A sixteenth takes 3/16 of a second, and is 14 wide beside a margin of 30.
    page.find(".play").click()
    page.wait(lambda: not page.is_playing(0))
    x = float(head.get_attribute("x1"))
    assert x == pytest.approx(30 + page.current_time(0) / 0.1875 * 14, abs=14)
    (sounding,) = page.find_all(".roll .sounding")
    start, end = (int(sounding.get_attribute(f"data-{n}")) for n in ("start", "end"))
    assert start <= page.current_time(0) / 0.1875 < end


def test_one_melody_plays_at_a_time(page):
    page.open("/browse")
    first, second = page.find_all(".play")[:2]
    first.click()
    page.wait(lambda: page.current_time(0) > 0)
    # At once: an event of the second would come only after it sounds.
    click_and_look = (
        "arguments[0].click(); return document.querySelector('audio').paused"
    )
    assert page.driver.execute_script(click_and_look, second)
    page.wait(lambda: page.current_time(1) > 0)
    assert not page.is_playing(0)


def test_browsing_by_keyboard(page):
    page.open("/browse")
    page.press(Keys.SPACE)
    page.wait(lambda: page.current_time(0) > 0)
    page.press("n")
    assert not page.is_playing(0)
    page.press(Keys.SPACE)
    page.wait(lambda: page.current_time(1) > 0)
    page.press("f")
    star = page.find_all(".favourite button")[1]
    page.wait(lambda: star.get_attribute("aria-pressed") == "true")
    melody = page.find_all(".melodies > li")[1].get_attribute("id")
    page.open("/browse?favourites=1")  # a reload has kept it
    assert [li.get_attribute("id") for li in page.find_all(".melodies > li")] == [
        melody
    ]


def test_a_melody_is_judged_by_keyboard_and_results_update(page):
    page.join()
    assert not page.find("#next").is_enabled()
    page.press("4", "n")  # nothing is heard yet
    assert page.find("#hint").text == "Listen to both melodies first."
    page.press(Keys.SPACE)
    page.wait(lambda: page.current_time(0) > 0)
    page.press("b")
    page.wait(lambda: page.current_time(1) > 0)
    assert not page.is_playing(0)
    page.wait(lambda: page.find("#next").is_enabled())
    assert page.votes() == []
    tab = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    page.open("/results")
    assert "Nobody has judged" in page.find("#results").text
    results = page.driver.current_window_handle
    page.driver.switch_to.window(tab)
    page.press("n")
    page.wait(lambda: "Pair 2" in page.find("header").text)
    assert page.votes() == [4]
    page.driver.switch_to.window(results)
    page.wait(lambda: "1 rating by 1 rater" in page.find("#results").text)
    assert page.find_all(".chart .note")
    worth = {"mle": 0.0, "q": 1.0}
    Listener(page.port, page.study_path, "Bob", worth).sit(1)  # while it is looked at
    page.wait(lambda: "2 ratings by 2 raters" in page.find("#results").text)
    page.driver.close()
    page.driver.switch_to.window(tab)


def test_a_reload_loses_nothing(page):
    page.join()
    action = page.vote_address()
    page.driver.refresh()
    assert page.vote_address() == action
    judge_with_pointer(page, 2)
    page.wait(lambda: page.vote_address() not in (action, None))
    action = page.vote_address()
    page.driver.refresh()
    assert page.vote_address() == action
    assert "Pair 2" in page.find("header").text
    page.driver.delete_all_cookies()  # another browser
    page.join("ann")
    assert page.vote_address() == action
    assert page.votes() == [2]


def test_going_back_shows_the_open_pair_and_a_replay_is_refused(page):
    page.join()
    old = page.vote_address()
    judge_with_pointer(page, 5)
    page.wait(lambda: "Pair 2" in page.find("header").text)
    page.driver.back()
    page.wait(lambda: page.find_all("#vote"))
    assert page.vote_address() != old
    status = page.js(
        """fetch(arguments[0], {
          method: "POST",
          body: new URLSearchParams({csrf: arguments[1], rating: "1"}),
        }).then((answer) => answer.status)""",
        old,
        page.find("#vote [name=csrf]").get_attribute("value"),
    )
    assert status == 409
    assert page.votes() == [5]


def test_somebody_elses_site_cannot_vote(page):
    page.join()
    action = page.vote_address()
    token = page.find("#vote [name=csrf]").get_attribute("value")
    page.driver.get("data:text/html,<form method=post></form>")
    page.driver.execute_script(
        """
        const form = document.forms[0];
        form.action = arguments[0];
        for (const [name, value] of [["csrf", arguments[1]], ["rating", "1"]]) {
          const input = document.createElement("input");
          Object.assign(input, {name, value});
          form.append(input);
        }
        form.submit();""",
        action,
        token,
    )
    page.wait(lambda: page.driver.title == "Sorry")
    assert page.votes() == []
    page.driver.get_log("browser")  # says that it was refused


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_everything_fits_and_can_be_read(page, width, scheme):
    set_up_screen(page.driver, width, scheme)
    page.join()
    looks = {}
    for path in ("/study", "/browse", "/results", "/nothing"):
        page.open(path)
        for element in page.find_all("details"):
            page.js("arguments[0].open = true", element)
        looks[path] = page.js(LOOKS)
    set_up_screen(page.driver, 1280, "light")
    page.driver.get_log("browser")  # /nothing is not there
    for path, look in looks.items():
        assert look["overflow"] <= 0, path
        assert look["faint"] == [], path
        assert look["small"] == [], path
        assert look["unnamed"] == [], path


def test_focus_is_seen(page):
    page.join()
    seen = set()
    for _ in range(5):
        page.press(Keys.TAB)
        focused = "document.activeElement"
        shown = f"{focused}.type === 'radio' ? {focused}.nextSibling : {focused}"
        outline = f"getComputedStyle({shown}).outlineStyle"
        assert page.js(outline) == "solid", page.js(f"{focused}.outerHTML")
        seen.add(page.js(f"{focused}.outerHTML"))
    assert len(seen) == 5


def judge_with_pointer(page, rating):
    for index, button in enumerate(page.find_all(".play")):
        button.click()
        page.wait(functools.partial(page.current_time, index))
    page.find_all(".answers label")[rating - 1].click()
    page.find("#next").click()


def set_up_screen(driver, width, scheme):
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": width,
            "height": 800,
            "deviceScaleFactor": 1,
            "mobile": width < 500,
        },
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    time.sleep(0.1)


# What is wider than the screen; text whose contrast is below WCAG AA's 4.5:1; what can
# be pressed but is smaller than 24 by 24 (WCAG 2.2 AA); what has no name to read out.
LOOKS = """(() => {
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map(
      (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = numbers(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const isShown = (e) => e.checkVisibility({ visibilityProperty: true })
    && !e.closest("[disabled]") && e.getBoundingClientRect().right > 0;
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !isShown(element)) continue;
    texts += 1;
    const style = getComputedStyle(element);
    const ink = numbers(element.closest("svg") ? style.fill : style.color).slice(0, 3);
    const [a, b] = [luminance(ink), luminance(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push([walker.currentNode.data.trim(), contrast]);
  }
  if (texts < 3) faint.push(["no text was looked at", texts]);
  const targets = [...document.querySelectorAll(
    "button, a.button, summary, input:not([type=hidden])")];
  const box = (e) => e.getBoundingClientRect();
  return {
    overflow: document.documentElement.scrollWidth - innerWidth,
    faint,
    small: targets.filter(isShown)
      .filter((e) => Math.min(box(e).width, box(e).height) < 24)
      .map((e) => e.outerHTML),
    unnamed: targets.filter((e) => !(e.ariaLabel || e.textContent.trim()
      || e.labels?.length)).map((e) => e.outerHTML),
  };
})()"""
