"""The page: a Flask application of browsing, the study and its results."""

from __future__ import annotations

import secrets
import socket
import sqlite3
import sys
from typing import Any

import flask
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.serving import BaseWSGIServer, make_server

from melody_rnn.listening import security
from melody_rnn.listening.browse_pages import browse_pages
from melody_rnn.listening.catalogue import Catalogue
from melody_rnn.listening.results_pages import results_pages
from melody_rnn.listening.store import Store
from melody_rnn.listening.study import Study
from melody_rnn.listening.study_pages import study_pages
from rl_tuner.errors import UserError

HOST = "127.0.0.1"

_KIND_WORDS = {
    404: "There is nothing at this address.",
    405: "This address is not meant to be used like that.",
    411: "That was sent without its length.",
    413: "That was too much to send.",
}

_TRY_AGAIN = "Nothing was stored of what you sent. Please go back and send it again."


def create_app(store: Store, catalogue: Catalogue) -> flask.Flask:
    """The application of a study."""
    app = flask.Flask(__name__)
    app.url_map.merge_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    # Two studies on two ports of a machine share its cookies.
    security.protect(
        app,
        secret_key=store.setting("secret_key", secrets.token_hex(32)),
        cookie_name=store.setting("cookie_name", f"study_{secrets.token_hex(4)}"),
    )
    study = Study(store)
    app.register_blueprint(browse_pages(catalogue))
    app.register_blueprint(study_pages(study))
    app.register_blueprint(results_pages(catalogue, study))

    @app.get("/")
    def home() -> Any:
        return flask.redirect(flask.url_for("browse.browse"))

    @app.errorhandler(SecurityError)
    def foreign(error: SecurityError) -> Any:
        # Without a host to trust no address can be made, so no page either.
        text = "This page is for this machine only.\n"
        return flask.Response(text, 400, mimetype="text/plain")

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Any:
        if error.code is None or error.code < 400:  # a redirect of the router's
            return error
        text = _KIND_WORDS.get(error.code, error.description)
        return flask.render_template("message.html", text=text), error.code

    @app.errorhandler(UserError)
    def mistaken(error: UserError) -> Any:
        return flask.render_template("message.html", text=str(error)), 400

    @app.errorhandler(sqlite3.Error)
    def not_stored(error: sqlite3.Error) -> Any:
        # In one piece: other threads write there too.
        sys.stderr.write(f"{flask.request.path}: {error}\n")
        sys.stderr.flush()
        text = f"The study's file cannot be used just now ({error}). {_TRY_AGAIN}"
        return flask.render_template("message.html", text=text), 503

    return app


def make_local_server(app: flask.Flask, port: int) -> BaseWSGIServer:
    """A server of `app` that only this machine reaches; a thread a request.

    Args:
      app: to serve.
      port: to listen at; 0 takes a free one, the server's `port`.

    Raises:
      UserError: the port is taken or not allowed.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise UserError(
            f"cannot listen at --port={port}: {error.strerror}; choose another, or 0 "
            "for a free one"
        ) from error
    listener.listen(128)
    with listener:
        return make_server(HOST, port, app, threaded=True, fd=listener.fileno())
