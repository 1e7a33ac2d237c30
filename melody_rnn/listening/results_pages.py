"""The results, as a page and as CSV."""

from __future__ import annotations

from typing import Any

import flask

from melody_rnn.listening import pictures, results
from melody_rnn.listening.catalogue import Catalogue
from melody_rnn.listening.study import Study
from melody_rnn.listening.votes import votes_csv


def results_pages(catalogue: Catalogue, study: Study) -> flask.Blueprint:
    """The pages under /results."""
    pages = flask.Blueprint("results", __name__)

    pages.add_app_template_filter(_roughly, "roughly")

    @pages.get("/results")
    def show() -> Any:
        models = [model.name for model in catalogue.models()]
        if len(models) < 2:
            return flask.render_template("no_pairs.html", page="results")
        votes = study.votes()
        of_models = results.model_results(votes, models)
        pairs = results.pair_results(votes, models)
        return flask.render_template(
            "results.html",
            page="results",
            num_votes=len(votes),
            num_raters=len({vote.rater for vote in votes}),
            of_models=of_models,
            chart=pictures.wins_chart(of_models),
            kruskal=results.kruskal_wallis(votes, models),
            pairs=pairs,
            outlook=_outlook(pairs),
            significance=results.SIGNIFICANCE,
            level=results.SIGNIFICANCE / study.num_pairs(),
            power=results.POWER,
        )

    @pages.get("/results.csv")
    def as_csv() -> Any:
        return flask.Response(
            votes_csv(study.votes()),
            mimetype="text/csv",
            headers={
                "Content-Disposition": "attachment; filename=ratings.csv",
                "Cache-Control": "no-store",
            },
        )

    return pages


def _outlook(pairs: list[results.PairResult]) -> str:
    """How many more ratings would settle it, in words."""
    if not pairs:
        return "There are no two models with ratings yet."
    open_pairs = [pair for pair in pairs if not pair.is_significant]
    if not open_pairs:
        return "All pairs are settled."
    needed = [pair.more_ratings for pair in open_pairs if pair.more_ratings]
    if not needed:
        return (
            f"What is left is as good as equal: {results.MOST_RATINGS:,} ratings would "
            "not settle it."
        )
    number = max(needed)
    ratings = "rating" if number == 1 else "ratings"
    whom = "every pair" if len(needed) == len(open_pairs) else "all that is not equal"
    return f"About {_roughly(number)} more {ratings} should settle {whom}."


def _roughly(number: int) -> str:
    """A guess with two digits, rounded up."""
    unit = 10 ** max(len(str(number)) - 2, 0)
    return f"{-(-number // unit) * unit:,}"
