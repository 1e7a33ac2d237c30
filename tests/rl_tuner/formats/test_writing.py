"""Every format, written and read again."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from binaries import assert_refused, run_binary
from reference import REFERENCE, needs_reference

from rl_tuner import worlds
from rl_tuner.algorithms import get_algorithm
from rl_tuner.errors import UserError
from rl_tuner.formats.writing import export, known_formats
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN

FORMATS = known_formats()
TOLERANCE = 1e-6


def random_model(num_classes=38, layer_sizes=(12,), seed=0, metadata=None):
    model = SequenceRNN(num_classes, layer_sizes, metadata)
    random = np.random.default_rng(seed)
    model.set_named_weights(
        {
            name: 0.3 * random.normal(size=value.shape)
            for name, value in model.weight_arrays().items()
        }
    )
    return model


def _output(tmp_path, file_format):
    return tmp_path / f"exported{FORMATS[file_format].suffix}"


def _from_js(folder):
    """Reads what magenta.js would: tensors by name."""
    (group,) = json.loads((folder / "weights_manifest.json").read_text())
    (shard,) = group["paths"]
    data, offset, tensors = (folder / shard).read_bytes(), 0, {}
    for entry in group["weights"]:
        assert entry["dtype"] == "float32"
        size = 4 * int(np.prod(entry["shape"]))
        values = np.frombuffer(data[offset : offset + size], "<f4")
        tensors[entry["name"]] = values.reshape(entry["shape"])
        offset += size
    assert offset == len(data)
    return tensors


def _step_as_tensorflow_1(tensors, tokens):
    """Logits of a TensorFlow 1 BasicLSTMCell stack, written out anew in numpy."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    layers = sum("kernel" in name for name in tensors)
    names = [f"rnn/multi_rnn_cell/cell_{k}/basic_lstm_cell" for k in range(layers)]
    sizes = [len(tensors[f"{name}/bias"]) // 4 for name in names]
    classes = len(tensors["fully_connected/biases"])
    c = [np.zeros([len(tokens), size]) for size in sizes]
    h = [np.zeros([len(tokens), size]) for size in sizes]
    logits = []
    for column in tokens.T:
        x = np.eye(classes)[column]
        for k, name in enumerate(names):
            gates = np.concatenate([x, h[k]], 1) @ tensors[f"{name}/kernel"]
            i, j, f, o = np.split(gates + tensors[f"{name}/bias"], 4, axis=1)
            c[k] = c[k] * sigmoid(f + 1.0) + sigmoid(i) * np.tanh(j)
            x = h[k] = np.tanh(c[k]) * sigmoid(o)
        dense = tensors["fully_connected/weights"], tensors["fully_connected/biases"]
        logits.append(x @ dense[0] + dense[1])
    return np.stack(logits, 1)


def _logits_of(file_format, path, tokens, state_size):
    """What the exported model makes of tokens."""
    if file_format in ("magenta_checkpoint", "mag"):
        return SequenceRNN.load(path).unroll(tokens)
    if file_format == "magentajs":
        return _step_as_tensorflow_1(_from_js(path), tokens)
    inputs = {
        "tokens": tf.constant(tokens, tf.int32),
        "state": tf.zeros([len(tokens), state_size]),
    }
    if file_format == "keras":
        return keras.models.load_model(path)(inputs)["logits"]
    loaded = tf.saved_model.load(str(path))
    return loaded.signatures["serving_default"](**inputs)["logits"]


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("layer_sizes", [(12,), (7, 5)])
def test_round_trips_are_exact(tmp_path, file_format, layer_sizes):
    model = random_model(38, layer_sizes)
    tokens = np.random.default_rng(1).integers(0, 38, [3, 20])
    path = _output(tmp_path, file_format)
    export(model, file_format, path)
    found = _logits_of(file_format, path, tokens, model.state_size)
    np.testing.assert_allclose(found, model.unroll(tokens), rtol=0, atol=TOLERANCE)


@needs_reference
@pytest.mark.parametrize("file_format", ["magenta_checkpoint", "mag"])
def test_papers_note_rnn_goes_out_and_in(tmp_path, file_format):
    golden = np.load(REFERENCE / "music" / "note_rnn_logits.npz")
    model = SequenceRNN.load(REFERENCE / "note_rnn_paper")
    before = model.unroll(golden["tokens"])
    path = _output(tmp_path, file_format)
    export(model, file_format, path)
    after = SequenceRNN.load(path).unroll(golden["tokens"])
    np.testing.assert_allclose(after, before, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("file_format", FORMATS)
def test_shipped_note_rnn_goes_out(tmp_path, file_format):
    """It carries the name of its vocabulary, as all do that note_rnn_train makes."""
    model = SequenceRNN.load(worlds.shipped_checkpoint(worlds.find_world("melody")))
    tokens = np.random.default_rng(1).integers(0, 38, [3, 20])
    path = _output(tmp_path, file_format)
    export(model, file_format, path)
    found = _logits_of(file_format, path, tokens, model.state_size)
    np.testing.assert_allclose(found, model.unroll(tokens), rtol=0, atol=1e-5)


def test_forget_bias_survives_another_round(tmp_path):
    """Adding one and taking it away again loses no more than it must."""
    model = random_model()
    export(model, "magenta_checkpoint", tmp_path / "one")
    export(SequenceRNN.load(tmp_path / "one"), "magenta_checkpoint", tmp_path / "two")
    readers = [
        tf.train.load_checkpoint(str(tmp_path / name / "model.ckpt"))
        for name in ("one", "two")
    ]
    for name in readers[0].get_variable_to_shape_map():
        one, two = (reader.get_tensor(name) for reader in readers)
        np.testing.assert_allclose(two, one, rtol=0, atol=1.2e-7)


def test_checkpoint_has_the_names_of_both_tools(tmp_path):
    export(random_model(38, (7, 5)), "magenta_checkpoint", tmp_path / "c")
    assert tf.train.latest_checkpoint(str(tmp_path / "c"))
    reader = tf.train.load_checkpoint(str(tmp_path / "c"))
    cells = [
        f"{scope}/multi_rnn_cell/cell_{layer}/{cell}/{part}"
        for scope, cell in (("rnn_model/rnn", "lstm_cell"), ("rnn", "basic_lstm_cell"))
        for layer in (0, 1)
        for part in ("kernel", "bias")
    ]
    assert set(reader.get_variable_to_shape_map()) == {
        *cells,
        "rnn_model/fully_connected/weights",
        "rnn_model/fully_connected/bias",
        "fully_connected/weights",
        "fully_connected/biases",
    }


def test_bundle_is_magentas(tmp_path):
    from note_seq.protobuf import generator_pb2

    export(random_model(130, (9,)), "mag", tmp_path / "mono.mag")
    data = (tmp_path / "mono.mag").read_bytes()
    bundle = generator_pb2.GeneratorBundle.FromString(data)
    assert bundle.generator_details.id == "mono_rnn"
    assert "rnn_layer_sizes=[9]" in bundle.bundle_details.description
    metagraph = tf.compat.v1.MetaGraphDef.FromString(bundle.metagraph_file)
    assert {"inputs", "temperature", "softmax", "initial_state", "final_state"} <= set(
        metagraph.collection_def
    )
    model = SequenceRNN.load(tmp_path / "mono.mag")
    assert model.metadata["melody_range"] == [0, 127]


def test_graph_of_a_bundle_plays(tmp_path):
    """TensorFlow 1's session runs the metagraph with the checkpoint beside it."""
    from note_seq.protobuf import generator_pb2

    model = random_model(38, (7, 5))
    export(model, "mag", tmp_path / "m.mag")
    bundle = generator_pb2.GeneratorBundle.FromString((tmp_path / "m.mag").read_bytes())
    (tmp_path / "model.ckpt").write_bytes(bundle.checkpoint_file[0])
    (tmp_path / "model.meta").write_bytes(bundle.metagraph_file)
    tokens = np.random.default_rng(1).integers(0, 38, [1, 20])
    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph, tf1.Session() as session:
        saver = tf1.train.import_meta_graph(str(tmp_path / "model.meta"))
        saver.restore(session, str(tmp_path / "model.ckpt"))
        inputs, temperature, softmax = (
            graph.get_collection(name)[0]
            for name in ("inputs", "temperature", "softmax")
        )
        states = graph.get_collection("initial_state")
        final = graph.get_collection("final_state")
        one_hot, state = np.eye(38)[tokens], None
        whole = session.run(softmax, {inputs: one_hot, temperature: 0.5})
        for step in range(20):
            feed = dict(zip(states, state, strict=True)) if state else {}
            feed |= {inputs: one_hot[:, step : step + 1], temperature: 0.5}
            one, state = session.run([softmax, final], feed)
            np.testing.assert_allclose(one[:, 0], whole[:, step], atol=1e-6)
    expected = tf.nn.softmax(model.unroll(tokens) / 0.5)
    np.testing.assert_allclose(whole, expected, atol=1e-6)


def test_magentajs_config(tmp_path):
    model = random_model(62, metadata={"melody_range": [36, 95]})
    export(model, "magentajs", tmp_path / "js")
    assert json.loads((tmp_path / "js" / "config.json").read_text()) == {
        "type": "MusicRNN",
        "dataConverter": {
            "type": "MelodyConverter",
            "args": {"minPitch": 36, "maxPitch": 95},
        },
    }


def test_plain_tensorflow_needs_nothing_of_ours(tmp_path):
    model = random_model(7, (6, 4))
    export(model, "keras", tmp_path / "m.keras")
    export(model, "savedmodel", tmp_path / "saved")
    program = """
import sys, keras, numpy as np, tensorflow as tf
module = tf.saved_model.load("saved")
found = []
for model in (keras.models.load_model("m.keras"), lambda both: module.unroll(**both)):
    first = model({"tokens": tf.constant([[3, 1]]), "state": tf.zeros([1, 20])})
    rest = model({"tokens": tf.constant([[4]]), "state": first["state"]})
    found.append(np.concatenate([first["logits"], rest["logits"]], 1)[0].tolist())
assert not any(name.startswith("rl_tuner") for name in sys.modules)
print(found)
"""
    result = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    expected = model.unroll(np.array([[3, 1, 4]]))
    for found in json.loads(result.stdout):
        np.testing.assert_allclose([found], expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("layer_sizes", [(6,), (6, 4)])
def test_two_networks_in_one(layer_sizes):
    """G-learning plays softmax(G + log p): not the softmax of either network."""
    tokens = np.random.default_rng(1).integers(0, 9, [4, 30])
    g = random_model(9, layer_sizes, 1)
    prior = random_model(9, [size + 1 for size in layer_sizes], 2)
    policy = Policy(g, prior, get_algorithm("g"))
    network = policy.as_network()
    scores = policy.algorithm.policy_logits(g.unroll(tokens), prior.unroll(tokens))
    np.testing.assert_allclose(network.unroll(tokens), scores, rtol=0, atol=TOLERANCE)
    expected = tf.nn.softmax(g.unroll(tokens) + tf.nn.log_softmax(prior.unroll(tokens)))
    np.testing.assert_allclose(
        tf.nn.softmax(network.unroll(tokens)), expected, rtol=0, atol=TOLERANCE
    )


@pytest.mark.parametrize("algorithm", ["q", "psi", "pure_rl"])
def test_other_policies_are_one_network(algorithm):
    q_network = random_model(9)
    policy = Policy(q_network, random_model(9, seed=1), get_algorithm(algorithm))
    assert policy.as_network() is q_network


def test_networks_with_a_sum_have_as_many_layers():
    with pytest.raises(ValueError, match=r"longer|shorter"):
        random_model(9, (6,)).summed_with(random_model(9, (6, 4)))


_UNKNOWN = "62 classes .* which notes they are; give the MIDI pitch of the lowest"


@pytest.mark.parametrize(
    ("file_format", "num_classes", "metadata", "message"),
    [
        ("mag", 62, {"melody_range": [36, 95]}, "Magenta has no config for the notes"),
        (
            "mag",
            62,
            {},
            _UNKNOWN,
        ),
        (
            "magentajs",
            62,
            {},
            _UNKNOWN,
        ),
        (
            "magentajs",
            62,
            {"melody_range": "high"},
            _UNKNOWN,
        ),
        (
            "magentajs",
            62,
            {"melody_range": [36, 96]},
            _UNKNOWN,
        ),
    ],
)
def test_formats_that_do_not_suit(
    tmp_path, file_format, num_classes, metadata, message
):
    model = random_model(num_classes, metadata=metadata)
    with pytest.raises(UserError, match=message) as caught:
        export(model, file_format, _output(tmp_path, file_format))
    assert "\n" not in str(caught.value)


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").touch()
    with pytest.raises(UserError, match="is there already"):
        export(random_model(), "magenta_checkpoint", tmp_path / "there")
    with pytest.raises(UserError, match=r"must end in \.mag"):
        export(random_model(), "mag", tmp_path / "bundle")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write to"):
        export(random_model(), "savedmodel", tmp_path / "file" / "below")


def test_binary_exports_a_run(tmp_path):
    """A run of G-learning, out as a bundle and in again as the policy that it was."""
    from rl_tuner.runs import run_directory

    q_network, prior = random_model(seed=1), random_model(seed=2)
    settings = run_directory.RunSettings(
        task="melody",
        task_settings={},
        prior="",
        training_steps=1,
        config={"algorithm": "g"},
    )
    (tmp_path / "run").mkdir()
    run_directory.write_settings(tmp_path / "run", settings)
    q_network.save(tmp_path / "run" / "q_network")
    prior.save(tmp_path / "run" / "reward_rnn")
    result = run_binary(
        "rl_tuner_export",
        f"--run_dir={tmp_path / 'run'}",
        "--format=mag",
        f"--output={tmp_path / 'out' / 'g.mag'}",
    )
    assert result.returncode == 0, result.stderr
    assert "1 LSTM layer of 12 cells, 38 classes" in result.stdout
    assert '--hparams="batch_size=1,rnn_layer_sizes=[24]"' in result.stdout
    tokens = np.random.default_rng(1).integers(0, 38, [3, 20])
    np.testing.assert_allclose(
        SequenceRNN.load(tmp_path / "out" / "g.mag").unroll(tokens),
        q_network.unroll(tokens) + prior.unroll(tokens),
        rtol=0,
        atol=TOLERANCE,
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--format=onnx"],
            "unknown --format='onnx'; choose one of magenta_checkpoint",
        ),
        (
            ["--format=mag", "--output=a.mag", "--run_dir=a", "--bundle_file=b.mag"],
            "name one model: --run_dir",
        ),
        (
            ["--format=mag", "--output=a.mag", "--task=molecule"],
            "--format=mag is for melodies",
        ),
        (["--format=mag", "--bundle_file=b.mag"], "--output is missing"),
        (
            ["--format=mag", "--output=a.mag", "--bundle_file=b.zip"],
            "--bundle_file=b.zip is not called *.mag",
        ),
        (
            ["--format=mag", "--output=a.mag", "--run_dir=nowhere"],
            "no run in nowhere",
        ),
    ],
)
def test_binary_refuses_in_one_line(tmp_path, flags, message):
    assert_refused(run_binary("rl_tuner_export", *flags, cwd=tmp_path), message)
