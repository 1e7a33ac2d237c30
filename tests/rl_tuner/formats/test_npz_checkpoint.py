"""Our checkpoints hold the weights and nothing else, whichever NumPy wrote them."""

import numpy as np

from rl_tuner.formats import npz_checkpoint


def test_weights_are_the_only_keywords_of_savez(tmp_path, monkeypatch):
    # The oldest NumPy that we take stores every keyword as an array.
    names = []
    savez = np.savez

    def recording(file, **keywords):
        names.extend(keywords)
        savez(file, **keywords)

    monkeypatch.setattr(np, "savez", recording)
    weights = {"logits/kernel": np.ones([2, 3], np.float32)}
    npz_checkpoint.write(tmp_path, "sequence_rnn", {"metadata": {}}, weights)
    assert names == ["logits/kernel"]
    read = npz_checkpoint.read_model(tmp_path).weights
    np.testing.assert_array_equal(read["logits/kernel"], weights["logits/kernel"])
