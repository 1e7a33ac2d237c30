"""What Jaques et al. 2016 published of melodies, for rl_tuner_reproduce."""

from __future__ import annotations

from melody_rnn.table1 import PAPER_TABLE1
from rl_tuner.reports.publication import Publication


class MelodyPublication(Publication):
    """The columns of Table 1; its figures are 2 and 4."""

    prior_label = "Note RNN"
    published = {  # noqa: RUF012
        "untuned": PAPER_TABLE1["Note RNN"],
        "q": PAPER_TABLE1["Q"],
        "psi": PAPER_TABLE1["Psi"],
        "g": PAPER_TABLE1["G"],
        "g_reference": PAPER_TABLE1["G"],
    }
