"""The study: a rater comes, hears two melodies at a time, and answers."""

from __future__ import annotations

from typing import Any

import flask

from melody_rnn.listening.browse_pages import send_audio
from melody_rnn.listening.study import AlreadyRatedError, Study

# The five points, from 1 to 5.
ANSWERS = (
    "The first, clearly",
    "The first, a little",
    "No difference",
    "The second, a little",
    "The second, clearly",
)


def study_pages(study: Study) -> flask.Blueprint:
    """The pages under /study."""
    pages = flask.Blueprint("study", __name__, url_prefix="/study")

    def rater_id() -> int | None:
        """Who sits before this browser; None if nobody has said."""
        known = flask.session.get("rater")
        return known if known and study.rater_name(known) else None

    @pages.get("")
    def show() -> Any:
        if study.num_pairs() == 0:
            return flask.render_template("no_pairs.html", page="study")
        rater = rater_id()
        if rater is None:
            return flask.render_template("join.html", page="study")
        votes, sitting = study.num_votes(rater), study.sitting()
        rests = votes > 0 and votes % sitting == 0
        trial = study.open_trial(rater)
        if trial is None and not rests:
            trial = study.hand_out(rater)
        if trial is None:
            return flask.render_template(
                "rest.html", page="study", votes=votes, is_done=not rests
            )
        return flask.render_template(
            "trial.html",
            trial=trial,
            answers=ANSWERS,
            rater_name=study.rater_name(rater),
            number=votes % sitting + 1,
            sitting=sitting,
        )

    @pages.post("/join")
    def join() -> Any:
        flask.session["rater"] = study.join(flask.request.form.get("name", ""))
        return flask.redirect(flask.url_for(".show"), 303)

    @pages.post("/leave")
    def leave() -> Any:
        flask.session.pop("rater", None)
        return flask.redirect(flask.url_for(".show"), 303)

    @pages.post("/go_on")
    def go_on() -> Any:
        rater = rater_id()
        if rater is not None and study.hand_out(rater) is None:
            return flask.render_template(
                "rest.html", page="study", votes=study.num_votes(rater), is_done=True
            )
        return flask.redirect(flask.url_for(".show"), 303)

    @pages.post("/<public_id>/vote")
    def vote(public_id: str) -> Any:
        rater = rater_id()
        if rater is None:
            flask.abort(403, "Please say who you are first.")
        try:
            rating = flask.request.form.get("rating", 0, int)
            study.vote(rater, public_id, rating)
        except AlreadyRatedError:
            flask.abort(409, "Your answer for this pair is stored already.")
        except LookupError:
            flask.abort(404)
        return flask.redirect(flask.url_for(".show"), 303)

    @pages.get("/<public_id>/<any(first, second):which>.wav")
    def audio(public_id: str, which: str) -> Any:
        rater = rater_id()
        if rater is None:
            flask.abort(404)
        return send_audio(study.audio(rater, public_id, which == "first"))

    return pages
