"""What the cards of shipped models must say."""

import json


def checked_card(folder, model):
    """The card of a model and its stored report, whose figures the card names."""
    report = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert model.metadata["evaluation"] == report
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for score in report["scores"].values():
        figures = f"{score['accuracy']:.1%} | {score['log_perplexity']:.4f}"
        assert figures in card
    assert f"{report['training_steps']:,} steps" in card
    return card, report
