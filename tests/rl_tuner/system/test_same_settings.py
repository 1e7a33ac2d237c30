import json

import pytest

from rl_tuner.errors import UserError
from rl_tuner.system import same_settings


def test_the_first_change_is_named_as_a_file_would_give_it():
    assert same_settings.first_change({"a": (1, 2)}, {"a": [1, 2]}) is None
    assert same_settings.first_change({"a": 1, "b": 2}, {"a": 1}) == ("b", 2, None)
    assert same_settings.first_change({"a": 1}, {"a": 2}, free=("a",)) is None


@pytest.mark.parametrize("has_checksum", [True, False])
def test_a_folder_is_claimed_once(tmp_path, has_checksum):
    path = tmp_path / "made_with.json"

    def claim(steps, seed):
        settings = {"steps": steps, "seed": seed}
        same_settings.claim(path, settings, ("steps",), has_checksum)

    claim(10, 1)
    claim(20, 1)
    written = json.loads(path.read_text())
    assert written["steps"] == 20
    assert ("sha256" in written) is has_checksum
    with pytest.raises(UserError, match=r"listed in made_with\.json: seed is 1, not 2"):
        claim(20, 2)
    path.write_text("damaged")
    with pytest.raises(UserError, match=r"made_with\.json is damaged"):
        claim(20, 1)


def test_what_an_earlier_version_kept_besides_is_no_change(tmp_path):
    path = tmp_path / "made_with.json"
    path.write_text('{"seed": 1, "gone": true}')
    same_settings.claim(path, {"seed": 1})
