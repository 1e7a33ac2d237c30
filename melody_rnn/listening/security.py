"""Keeps other sites and oversize requests away from the page."""

from __future__ import annotations

import hmac
import secrets

import flask

# Names of the machine itself: a page of another site that has its name point here
# (DNS rebinding) still sends its own name.
TRUSTED_HOSTS = ["127.0.0.1", "localhost"]
MAX_BODY_BYTES = 16 * 1024

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def protect(app: flask.Flask, secret_key: str, cookie_name: str) -> None:
    """Makes `app` refuse foreign hosts, cross-site posts and large bodies.

    A post must come from a page of ours, by what the browser says of its origin, and
    carry the token that the page was given: in the form as `csrf`.
    """
    app.config.update(
        SECRET_KEY=secret_key,
        TRUSTED_HOSTS=TRUSTED_HOSTS,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        SESSION_COOKIE_NAME=cookie_name,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
    )
    app.before_request(_check_post)
    app.after_request(_add_headers)
    app.jinja_env.globals["csrf_token"] = _csrf_token


def _csrf_token() -> str:
    if "csrf" not in flask.session:
        flask.session["csrf"] = secrets.token_urlsafe(24)
        flask.session.permanent = True  # so that a rater can come back
    return flask.session["csrf"]


def _check_post() -> None:
    request = flask.request
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.content_length is None:  # in chunks, which no form is sent in
        flask.abort(411)
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        flask.abort(403, "This came from another site.")
    origin = request.host_url.rstrip("/")
    if request.headers.get("Origin", origin) != origin:
        flask.abort(403, "This came from another site.")
    sent = request.form.get("csrf", "")  # 413 if the body is too large
    known = flask.session.get("csrf", "")
    if not known or not hmac.compare_digest(sent.encode(), known.encode()):
        flask.abort(403, "The page was too old. Please go back, reload it and retry.")


def _add_headers(response: flask.Response) -> flask.Response:
    for name, value in _HEADERS.items():
        response.headers[name] = value
    if response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"
    return response
