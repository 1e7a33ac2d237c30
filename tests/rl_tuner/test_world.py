"""What a world does where it says nothing itself."""

from rl_tuner.reports.web_page import WebPage
from rl_tuner.world import World


class Silent(World):
    name = "silent"

    def make_task(self, settings, model=None):
        raise NotImplementedError


def test_page_shows_what_the_run_wrote_before_and_after(tmp_path):
    pages = []
    for folder in ("nothing", "before", "after"):
        page = WebPage("Title")
        if folder != "nothing":
            samples = tmp_path / "samples" / folder
            samples.mkdir(parents=True)
            (samples / f"{folder}.png").write_bytes(b"picture")
        Silent().add_to_page(page, None, {}, {}, tmp_path)
        page.write(tmp_path / "index.html")
        pages.append((tmp_path / "index.html").read_text())
    nothing, half, whole = pages
    assert nothing == half
    assert "Samples" not in nothing
    assert "Samples" in whole
    assert 'alt="after: after"' in whole
