"""Browsing: melodies of a model, to hear, look at, keep, take away and make more of."""

from __future__ import annotations

import io
import math
from typing import Any

import flask

from melody_rnn.listening import pictures, render
from melody_rnn.listening.catalogue import Catalogue, Melody, Model
from rl_tuner.errors import UserError

PAGE_SIZE = 10
MAX_MORE = 50


def browse_pages(catalogue: Catalogue) -> flask.Blueprint:
    """The pages under /browse and /melodies."""
    pages = flask.Blueprint("browse", __name__)

    @pages.app_template_global()
    def piano_roll(melody: Melody) -> pictures.PianoRoll:
        return pictures.piano_roll(melody.notes, melody.num_steps)

    @pages.app_template_global()
    def reward_strips(melody: Melody) -> list[pictures.RewardStrip]:
        return pictures.reward_strips(melody.rewards)

    add_global: Any = pages.add_app_template_global  # of constants too
    add_global(render.SECONDS_PER_STEP, "seconds_per_step")
    add_global(pictures.LEFT, "roll_left")
    add_global(pictures.STEP_WIDTH, "step_width")
    add_global(pictures.STRIP_HEIGHT, "strip_height")

    @pages.get("/browse")
    def browse() -> Any:
        models = catalogue.models()
        favourites = "favourites" in flask.request.args
        if not models:
            return flask.render_template("no_models.html", page="browse")
        model = None if favourites else _chosen(models)
        model_id = model.id if model else None
        number = max(flask.request.args.get("page", 1, int), 1)
        total = catalogue.count(model_id, favourites)
        last = max(-(-total // PAGE_SIZE), 1)
        number = min(number, last)
        return flask.render_template(
            "browse.html",
            page="browse",
            models=models,
            model=model,
            favourites=favourites,
            melodies=catalogue.melodies(
                model_id, favourites, PAGE_SIZE, (number - 1) * PAGE_SIZE
            ),
            number=number,
            last=last,
            total=total,
            next_seed=catalogue.next_seed(),
            sound=catalogue.sound,
            max_more=MAX_MORE,
        )

    @pages.post("/browse/<int:model_id>/more")
    def more(model_id: int) -> Any:
        model = _of_id(catalogue.models(), model_id)
        count = _number("count", int, 1, MAX_MORE)
        seed = _number("seed", int, 0, 2**31 - 1)
        temperature = _number("temperature", float, 0.05, 20.0)
        catalogue.generate_more(model, count, temperature, seed)
        return flask.redirect(flask.url_for(".browse", model=model.id), 303)

    @pages.post("/melodies/<public_id>/favourite")
    def favourite(public_id: str) -> Any:
        keep = flask.request.form.get("keep") == "1"
        if not catalogue.keep(public_id, keep):
            flask.abort(404)
        melody = catalogue.melody(public_id)
        if melody is None:
            flask.abort(404)
        here = flask.url_for(".browse", model=melody.model_id, _anchor=public_id)
        return flask.redirect(here, 303)

    @pages.get("/melodies/<public_id>.wav")
    def audio(public_id: str) -> Any:
        return send_audio(catalogue.audio(public_id))

    @pages.get("/melodies/<public_id>.mid")
    def midi(public_id: str) -> Any:
        content, melody = catalogue.midi(public_id), catalogue.melody(public_id)
        if content is None or melody is None:
            flask.abort(404)
        name = f"{melody.model_name} seed {melody.seed} melody {melody.number}.mid"
        return flask.send_file(
            io.BytesIO(content), "audio/midi", as_attachment=True, download_name=name
        )

    return pages


def send_audio(content: bytes | None) -> flask.Response:
    """A WAV file, in parts if the browser wants parts; 404 for None."""
    if content is None:
        flask.abort(404)
    response = flask.send_file(io.BytesIO(content), "audio/wav", conditional=True)
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _chosen(models: list[Model]) -> Model:
    """The model that the address names; the first if it names none."""
    if "model" not in flask.request.args:
        return models[0]
    return _of_id(models, flask.request.args.get("model", -1, int))


def _of_id(models: list[Model], model_id: int) -> Model:
    for model in models:
        if model.id == model_id:
            return model
    flask.abort(404)


def _number(name: str, kind: type, least: float, most: float) -> Any:
    """A number of the form.

    Raises:
      UserError: it is none, or out of range.
    """
    text = flask.request.form.get(name, "")
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise UserError(f"The {name} must be a number from {least} to {most}.")
    return value
