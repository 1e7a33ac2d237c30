import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem
from zinc import needs_zinc, zinc_smiles

from molecule_rnn.vocabulary import EOS, TOKENIZERS, Vocabulary, tokenize
from rl_tuner.errors import UserError


def _padded(sequences, steps=None):
    steps = steps or max(map(len, sequences))
    padded = np.full((len(sequences), steps), EOS)
    for row, sequence in enumerate(sequences):
        padded[row, : len(sequence)] = sequence
    return padded


@needs_zinc
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_real_molecules_come_back_as_they_were(tokenizer):
    smiles = zinc_smiles(2000, every=100)
    vocabulary = Vocabulary.learn(smiles, tokenizer)
    sequences = [vocabulary.encode(string) for string in smiles]
    assert all(EOS not in sequence for sequence in sequences)
    assert vocabulary.decode(_padded(sequences, 130)) == smiles
    assert vocabulary.num_classes == 1 + len(vocabulary.tokens)
    assert max(map(max, sequences)) == vocabulary.num_classes - 1


@needs_zinc
def test_an_atom_token_is_an_atom_to_rdkit():
    for string in zinc_smiles(200, every=1000):
        tokens = tokenize(string, "atoms")
        atoms = [t for t in tokens if t[0] == "[" or t.isalpha()]
        molecule = Chem.MolFromSmiles(string, sanitize=False)
        assert len(atoms) == molecule.GetNumAtoms()
        for token, atom in zip(atoms, molecule.GetAtoms(), strict=True):
            assert atom.GetSymbol().lower() in token.lower()


@needs_zinc
def test_all_of_zinc_has_the_papers_35_classes():
    vocabulary = Vocabulary.learn(zinc_smiles(249_456))
    assert vocabulary.num_classes == 35
    assert "".join(vocabulary.tokens) == "#()+-/12345678=@BCFHINOPS[\\]clnors"


def test_two_letter_atoms_brackets_and_closures_are_one_token():
    smiles = "BrC%10[C@@H](Cl)Cn%10B[nH]"
    assert tokenize(smiles, "atoms") == [
        *("Br", "C", "%10", "[C@@H]", "(", "Cl", ")", "C", "n", "%10", "B", "[nH]"),
    ]
    assert tokenize(smiles) == list(smiles)


@given(st.text(), st.sampled_from(TOKENIZERS))
def test_tokens_joined_are_the_text_again(text, tokenizer):
    assert "".join(tokenize(text, tokenizer)) == text


@given(st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6), max_size=5))
def test_what_follows_the_first_end_does_not_matter(sequences):
    vocabulary = Vocabulary(["C", "N", "O", "("])
    expected = [
        "".join("?CNO("[token] for token in [*row, EOS][: [*row, EOS].index(EOS)])
        for row in sequences
    ]
    decoded = vocabulary.decode(np.array(sequences, int).reshape(-1, 6))
    assert decoded == expected


def test_a_class_out_of_range_is_no_token():
    vocabulary = Vocabulary(["C"])
    for wrong in (-1, 2):
        with pytest.raises(ValueError, match=r"not in 0\.\.1"):
            vocabulary.decode([[1, wrong]])


def test_unknown_characters_are_named():
    vocabulary = Vocabulary(["C", "O"])
    with pytest.raises(UserError) as error:
        vocabulary.encode("CXO\0X")
    message = str(error.value)
    assert "'X', '\\x00'; the vocabulary has C O" in message
    assert message.count("'X'") == 1
    assert "\n" not in message


def test_json_and_back():
    vocabulary = Vocabulary.learn(["CCl", "C[nH]"], "atoms")
    text = json.dumps(vocabulary.to_json())
    again = Vocabulary.from_json(json.loads(text))
    assert again == vocabulary
    assert again.tokens == ("C", "Cl", "[nH]")
    assert again != Vocabulary(["C"])


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        "note_seq MelodyOneHotEncoding(48, 84)",
        {"tokens": ["C"]},
        {"tokens": ["C", 1], "tokenizer": "atoms"},
        {"tokens": 5, "tokenizer": "atoms"},
        {"tokens": ["C"], "tokenizer": "words"},
        {"tokens": ["C", "C"], "tokenizer": "atoms"},
        {"tokens": [], "tokenizer": "atoms"},
        {"tokens": ["Cl"], "tokenizer": "characters"},
        {"tokens": [""], "tokenizer": "characters"},
    ],
)
def test_what_is_no_vocabulary_is_refused(value):
    with pytest.raises(UserError) as error:
        Vocabulary.from_json(value)
    assert "\n" not in str(error.value)
