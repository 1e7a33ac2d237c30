"""Vocabulary: SMILES strings as classes; class 0 is the end of the sequence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rl_tuner.errors import UserError

EOS = 0
CHARACTERS, ATOMS = "characters", "atoms"
TOKENIZERS = (CHARACTERS, ATOMS)

# A bracket that is not closed falls to the last alternative: one character.
_ATOM = re.compile(r"\[[^\[\]]*\]|Br|Cl|%[0-9]{2}|.", re.DOTALL)


def tokenize(smiles: str, tokenizer: str = CHARACTERS) -> list[str]:
    """Cuts a SMILES string into tokens; joined they are the string again.

    Args:
      smiles: any text.
      tokenizer: "characters", one token each (Jaques et al. 2017, section 6), or
        "atoms", where `Cl`, `Br`, a bracket atom as `[nH]` and a ring closure as `%10`
        are one token.

    Raises:
      UserError: there is no such tokenizer.
    """
    if tokenizer == CHARACTERS:
        return list(smiles)
    if tokenizer == ATOMS:
        return _ATOM.findall(smiles)
    raise UserError(f"tokenizer {tokenizer!r} must be one of {', '.join(TOKENIZERS)}")


class Vocabulary:
    """The classes of a SMILES RNN: the end of the sequence, then one per token.

    Attributes:
      tokens: the texts of the classes 1, 2, ...
      tokenizer: how strings are cut into tokens, as in `tokenize`.
      num_classes: the tokens and the end.
    """

    def __init__(self, tokens: Sequence[str], tokenizer: str = CHARACTERS):
        """Numbers the tokens in their order.

        Raises:
          UserError: a token is no token of this tokenizer, or is there twice.
        """
        self.tokens = tuple(tokens)
        self.tokenizer = tokenizer
        self.num_classes = 1 + len(self.tokens)
        for token in self.tokens:
            if tokenize(token, tokenizer) != [token]:
                raise UserError(
                    f"{token!r} is no token of the tokenizer {tokenizer!r}; "
                    "make the vocabulary anew with smiles_rnn_create_dataset"
                )
        self._classes = {token: 1 + i for i, token in enumerate(self.tokens)}
        if len(self._classes) != len(self.tokens) or not self.tokens:
            raise UserError(
                f"a vocabulary needs one token or more, each once, not {self.tokens}"
            )
        self._texts = ("", *self.tokens)

    @classmethod
    def learn(cls, smiles: Iterable[str], tokenizer: str = CHARACTERS) -> Vocabulary:
        """The vocabulary of all tokens in `smiles`, in the order of their texts."""
        tokens: set[str] = set()
        for string in smiles:
            tokens.update(tokenize(string, tokenizer))
        return cls(sorted(tokens), tokenizer)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Vocabulary:
        """Reads what `to_json` returned, as in a model's `metadata["vocabulary"]`.

        Raises:
          UserError: it is no vocabulary.
        """
        try:
            tokens, tokenizer = value["tokens"], value["tokenizer"]
            if not all(isinstance(text, str) for text in (tokenizer, *tokens)):
                raise TypeError
        except (KeyError, TypeError) as error:
            raise UserError(
                "no vocabulary of molecules: expected the texts of the classes in "
                f"'tokens' and a 'tokenizer', found {value!r:.60}"
            ) from error
        return cls(tokens, tokenizer)

    def to_json(self) -> dict[str, Any]:
        """For JSON: the tokens and the tokenizer."""
        return {"tokens": list(self.tokens), "tokenizer": self.tokenizer}

    def encode(self, smiles: str) -> list[int]:
        """The classes of a string, without the end of the sequence.

        Raises:
          UserError: names the tokens that the vocabulary lacks.
        """
        tokens = tokenize(smiles, self.tokenizer)
        try:
            return [self._classes[token] for token in tokens]
        except KeyError:
            unknown = dict.fromkeys(t for t in tokens if t not in self._classes)
            raise UserError(
                f"unknown in {smiles!r:.60}: {', '.join(map(repr, unknown))}; "
                f"the vocabulary has {' '.join(self.tokens)}"
            ) from None

    def decode(self, sequences: np.ndarray | Sequence[Sequence[int]]) -> list[str]:
        """The strings of sequences, each up to its first end of sequence.

        Args:
          sequences: [N, T] ints; what follows an end of sequence does not matter.

        Raises:
          ValueError: a class is not in 0..num_classes - 1.
        """
        sequences = np.asarray(sequences)
        if sequences.size and not (
            sequences.min() >= 0 and sequences.max() < self.num_classes
        ):
            raise ValueError(f"a class is not in 0..{self.num_classes - 1}")
        # From the first end on all is the end, whose text is empty.
        kept = np.where(np.cumsum(sequences == EOS, axis=1) == 0, sequences, EOS)
        return ["".join(map(self._texts.__getitem__, row)) for row in kept.tolist()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.tokens, self.tokenizer))
