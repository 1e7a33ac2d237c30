"""The scoring file of the documents is one, and the one that was measured."""

import documents
from figure_making import molecules

from molecule_rnn.scoring.components import scoring_file


def test_the_file_of_the_document_is_the_one_that_was_measured():
    text = documents.named_files("molecule_rnn/README.md")["my_scoring.toml"]
    assert text == molecules.SCORING.read_text()
    scoring = scoring_file.read(str(molecules.SCORING))
    assert scoring.names == ("like_celecoxib", "tpsa", "log_p", "no_alerts")
