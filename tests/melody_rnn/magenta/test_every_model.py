"""Lookback and attention in, out and in again: names, layouts, lengths, bundles."""

import numpy as np
import pytest
import tensorflow as tf
from note_seq.protobuf.generator_pb2 import GeneratorBundle
from reference import REFERENCE, needs_reference

from melody_rnn.magenta import bundles, checkpoints, graph
from melody_rnn.magenta.checkpoints import melody_rnn_tensors
from melody_rnn.magenta.names import find_names, magenta_names
from melody_rnn.networks.kinds import AttentionRNN, LookbackRNN
from melody_rnn.networks.melody_rnn import MelodyRNN
from rl_tuner.errors import UserError
from rl_tuner.formats.writing import export
from rl_tuner.networks.network import Network, read_checked

TOKENS = np.random.default_rng(0).integers(0, 29, [2, 40])
MODELS = {
    "lookback": lambda: LookbackRNN(38, (6, 5)),
    "attention": lambda: AttentionRNN(38, (6, 5), attention_length=7),
    "old attention": lambda: AttentionRNN(
        38, (6, 5), attention_length=7, attention_layout="all_layers"
    ),
    "residual attention": lambda: AttentionRNN(
        38, (6, 5, 5), attention_length=7, residual=True
    ),
    "residual": lambda: MelodyRNN(38, (6, 6), residual=True),
    "one-hot attention": lambda: MelodyRNN(38, (6,), attention_length=3),
}


def _probabilities(model, tokens=TOKENS):
    return tf.nn.softmax(model.unroll(tokens)).numpy()


@pytest.mark.parametrize("kind", MODELS)
def test_out_and_in(tmp_path, kind):
    model = MODELS[kind]()
    bundles.write(tmp_path / "model.mag", model, "attention_rnn", "")
    checkpoints.write(tmp_path, model)
    for path in (tmp_path / "model.mag", tmp_path):
        loaded = Network.load(path)
        if path == tmp_path and model.attention_length:
            assert loaded.attention_length == 40  # no variable shows it
            loaded.set_up_as(attention_length=model.attention_length)
        differences = {"min_note": 48}
        if "one-hot" not in kind and "attention" in kind:
            assert type(loaded) is type(model)
        assert loaded.architecture() == model.architecture() | differences
        np.testing.assert_array_equal(_probabilities(loaded), _probabilities(model))


@pytest.mark.parametrize("kind", MODELS)
def test_graph_of_a_bundle_is_the_network(kind):
    """What Magenta would run, imported and fed as it does."""
    model = MODELS[kind]()
    tf1 = tf.compat.v1
    inputs, _ = model.encoding.follow(
        tf.constant(TOKENS[:1], tf.int32), tf.zeros([1, model.encoding.state_size])
    )
    inputs = inputs.numpy()
    expected, _, _ = model.unroll_labels(TOKENS[:1])
    tensors = melody_rnn_tensors(model)
    exported = graph.metagraph(model.stack, model.encoding.num_labels)
    with tf.Graph().as_default() as imported, tf1.Session() as session:
        meta = graph.MetaGraphDef.FromString(exported)
        tf1.train.import_meta_graph(meta)
        variables = imported.get_collection("variables")
        assert {v.op.name for v in variables} == set(tensors)
        for variable in variables:
            variable.load(tensors[variable.op.name], session)
        names = ("inputs", "temperature", "softmax", "initial_state", "final_state")
        given = {name: imported.get_collection(name) for name in names}
        state = session.run(given["initial_state"])
        assert [part.shape[1] for part in state] == [n for _, n in model.stack.parts]
        found = []
        for part in (inputs[:, :25], inputs[:, 25:]):
            feed = dict(zip(given["initial_state"], state, strict=True))
            feed |= {given["inputs"][0]: part, given["temperature"][0]: 1.0}
            softmax, state = session.run(
                [given["softmax"][0], given["final_state"]], feed
            )
            found.append(softmax)
    found = np.concatenate(found, axis=1)
    np.testing.assert_allclose(found, tf.nn.softmax(expected), atol=1e-6)


def _replaced(name, pairs):
    for ours, theirs in pairs:
        name = name.replace(ours, theirs)
    return name


# From today's names: TensorFlow 0.10 to 0.12, 1.0 and 1.1, and magenta.js.
_TO_0_12 = [
    ("rnn/", "RNN/"),
    ("multi_rnn_cell/cell_", "MultiRNNCell/Cell"),
    ("basic_lstm_cell/kernel", "BasicLSTMCell/Linear/Matrix"),
    ("basic_lstm_cell/bias", "BasicLSTMCell/Linear/Bias"),
    ("attention_cell_wrapper/kernel", "attention_cell_wrapper/Linear/Matrix"),
    ("attention_cell_wrapper/bias", "attention_cell_wrapper/Linear/Bias"),
    ("attention/kernel", "Attention/Linear/Matrix"),
    ("attention/bias", "Attention/Linear/Bias"),
    ("attention/attn_w", "Attention/AttnW"),
    ("attention/attn_v", "Attention/AttnV"),
    ("attn_output_projection/kernel", "AttnOutputProjection/Linear/Matrix"),
    ("attn_output_projection/bias", "AttnOutputProjection/Linear/Bias"),
    ("attention_cell_wrapper", "AttentionCellWrapper"),
]
_TO_1_1 = [("kernel", "weights"), ("/bias", "/biases"), ("biaseses", "biases")]
_TO_JS = [("attn_output_projection", "attention_output_projection")]


@pytest.mark.parametrize("pairs", [_TO_0_12, _TO_1_1, _TO_JS])
@pytest.mark.parametrize("layout", ["first_layer", "all_layers"])
@pytest.mark.parametrize("scope", ["", "q_network/"])
def test_historical_names_of_attention(pairs, layout, scope):
    model = AttentionRNN(38, (6, 5), attention_layout=layout)
    today = magenta_names(model.named_weights(), layout == "all_layers")
    then = {ours: scope + _replaced(name, pairs) for ours, name in today.items()}
    slots = [f"{name}/Adam" for name in then.values()]
    found, around_all = find_names("x", [*then.values(), *slots, "global_step"])
    assert found == then
    assert around_all == (layout == "all_layers")


def test_names_of_2016_are_as_they_were():
    """The table of MELODY_RNN.md, section 4, word for word."""
    model = AttentionRNN(38, (6, 5), attention_layout="all_layers")
    today = magenta_names(model.named_weights(), around_all=True)
    then = {_replaced(name, _TO_0_12) for name in today.values()}
    wrapper = "RNN/AttentionCellWrapper"
    assert then == {
        f"{wrapper}/MultiRNNCell/Cell0/BasicLSTMCell/Linear/Matrix",
        f"{wrapper}/MultiRNNCell/Cell0/BasicLSTMCell/Linear/Bias",
        f"{wrapper}/MultiRNNCell/Cell1/BasicLSTMCell/Linear/Matrix",
        f"{wrapper}/MultiRNNCell/Cell1/BasicLSTMCell/Linear/Bias",
        f"{wrapper}/Linear/Matrix",
        f"{wrapper}/Linear/Bias",
        f"{wrapper}/Attention/AttnW",
        f"{wrapper}/Attention/AttnV",
        f"{wrapper}/Attention/Linear/Matrix",
        f"{wrapper}/Attention/Linear/Bias",
        f"{wrapper}/AttnOutputProjection/Linear/Matrix",
        f"{wrapper}/AttnOutputProjection/Linear/Bias",
        "fully_connected/weights",
        "fully_connected/biases",
    }


@needs_reference
@pytest.mark.parametrize("name", ["lookback_rnn", "attention_rnn"])
def test_magentas_variables_are_what_we_write(name):
    folder = REFERENCE / "magenta" / name
    model = Network.load(folder / "model.mag")
    with checkpoints.open_checkpoint(str(folder / "model.ckpt")) as theirs:
        expected = theirs.tensors(list(theirs.shapes))
    ours = melody_rnn_tensors(model)
    assert {n: v.shape for n, v in ours.items()} == {
        n: v.shape for n, v in expected.items()
    }
    for variable, value in expected.items():
        np.testing.assert_array_equal(ours[variable], value)


@needs_reference
def test_length_of_attention_is_that_of_the_graph(tmp_path):
    folder = REFERENCE / "magenta" / "attention_rnn"
    assert Network.load(folder / "model.mag").attention_length == 40
    data = (folder / "model.mag").read_bytes()
    bundle = GeneratorBundle.FromString(data)
    meta = graph.MetaGraphDef.FromString(bundle.metagraph_file)
    width = graph.state_width(meta.SerializeToString())
    assert width == 2 * 64 + 2 * 64 + 64 + 40 * 64
    del meta.collection_def["final_state"]
    assert graph.state_width(meta.SerializeToString()) == width
    del meta.collection_def["initial_state"]
    bundle.metagraph_file = meta.SerializeToString()
    (tmp_path / "model.mag").write_bytes(bundle.SerializeToString())
    with pytest.raises(UserError, match="does not say how far attention reaches"):
        Network.load(tmp_path / "model.mag")


@pytest.mark.parametrize(
    ("kind", "file_format", "told"),
    [
        (
            "attention",
            "mag",
            "--config=attention_rnn --bundle_file={} "
            '--hparams="batch_size=1,rnn_layer_sizes=[6,5],attn_length=7"',
        ),
        (
            "lookback",
            "magenta_checkpoint",
            "--config=lookback_rnn --checkpoint_file={}/model.ckpt "
            '--hparams="batch_size=1,rnn_layer_sizes=[6,5],attn_length=0"',
        ),
        ("old attention", "magenta_checkpoint", "today's plays --format=mag"),
    ],
)
def test_exports_say_how_they_are_played(tmp_path, kind, file_format, told):
    path = tmp_path / ("out.mag" if file_format == "mag" else "out")
    line = export(MODELS[kind](), file_format, path)
    assert told.format(path) in line


def test_what_magenta_js_cannot_play(tmp_path):
    with pytest.raises(UserError, match="MusicRNN knows neither lookback nor key"):
        export(MODELS["lookback"](), "magentajs", tmp_path / "js")


def _is_right_or_one_line(path, expected):
    """What is read is what was written, or the refusal is one line that names it."""
    try:
        found_class, stored = read_checked(path)
    except UserError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert "\n" not in refusal
        assert str(path) in refusal
        return False
    assert found_class is AttentionRNN
    assert stored.architecture == expected.architecture()
    for name, value in expected.weight_arrays().items():
        np.testing.assert_array_equal(stored.weights[name], value)
    return True


@pytest.mark.parametrize("layout", ["first_layer", "all_layers"])
def test_flipped_bits_and_cuts_of_a_bundle(tmp_path, layout):
    model = AttentionRNN(38, (6, 5), attention_length=7, attention_layout=layout)
    path = tmp_path / "model.mag"
    bundles.write(path, model, "attention_rnn", "")
    whole = path.read_bytes()
    bundle = GeneratorBundle.FromString(whole)
    num_graph = len(bundle.metagraph_file)
    begin = whole.index(bundle.metagraph_file)
    random = np.random.default_rng(1)
    # Half of them in the graph, which is most of the file and mostly not looked at.
    outside = [i for i in range(len(whole)) if not 0 <= i - begin < num_graph]
    places = [*random.choice(outside, 100), *(begin + random.choice(num_graph, 100))]
    results = []
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << random.integers(8)
        path.write_bytes(damaged)
        results.append(_is_right_or_one_line(path, model))
    assert True in results
    assert False in results
    for length in random.choice(len(whole), 40):
        path.write_bytes(whole[:length])
        assert not _is_right_or_one_line(path, model)
