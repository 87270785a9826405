"""Logging in and out in a browser, and the page with the API token. Sessions are Flask's signed cookies; Copr keeps them in Redis."""

from __future__ import annotations

import flask
from authlib.integrations.base_client.errors import OAuthError

from coprs import oidc
from coprs.config import with_protocol
from coprs.database import db
from coprs.logic import users

blueprint = flask.Blueprint("misc", __name__)


def register(app: flask.Flask) -> None:
    """Add the pages, and the links to them."""
    oidc.setup(app)
    app.register_blueprint(blueprint)
    app.before_request(_load_user)
    app.context_processor(_menu)


def _load_user() -> None:
    name = flask.session.get("oidc") or flask.session.get("krb5_login")
    flask.g.user = users.find(name) if name else None


def _menu() -> dict[str, list[tuple[str, str]]]:
    if flask.g.get("user"):
        return {"login_menu": [(flask.url_for("misc.logout"), "log out")]}
    config = flask.current_app.config
    menu = []
    if oidc.enabled(config):
        menu.append((flask.url_for("misc.oidc_login"), f"{config['OIDC_PROVIDER_NAME']} login"))
    if config["KRB5_LOGIN"]:
        menu.append((flask.url_for("api_3.gssapi.web_ui"), config["KRB5_LOGIN"]["log_text"]))
    return {"login_menu": menu}


def next_url() -> str:
    """Where to after the login: this site only."""
    url = flask.request.values.get("next") or flask.session.pop("next", None) or "/"
    is_ours = url.startswith(flask.request.url_root) or (url.startswith("/") and not url.startswith("//"))
    return url if is_ours else "/"


@blueprint.get("/oidc_login/")
def oidc_login() -> flask.typing.ResponseReturnValue:
    """To the provider."""
    if not oidc.enabled(flask.current_app.config):
        return flask.redirect("/")
    flask.session["next"] = next_url()
    return oidc.oauth.copr.authorize_redirect(flask.url_for("misc.oidc_auth", _external=True))


@blueprint.get("/oidc_auth/")
def oidc_auth() -> flask.typing.ResponseReturnValue:
    """Back from the provider: its redirect URI for this client."""
    if not oidc.enabled(flask.current_app.config):
        return flask.redirect("/")
    try:
        oidc.oauth.copr.authorize_access_token()
    except OAuthError as error:
        flask.current_app.logger.error("%s", error)
        return flask.redirect("/")
    userinfo = oidc.oauth.copr.userinfo()
    name = oidc.username(userinfo)
    user = users.find(name)
    if user is None:
        user = users.create(name, userinfo["email"], None, None)
    user.mail = userinfo["email"]
    db.session.commit()
    flask.session["oidc"] = name
    flask.current_app.logger.info("User '%s' logged in", name)
    return flask.redirect(next_url())


@blueprint.get("/logout/")
def logout() -> flask.typing.ResponseReturnValue:
    """Of this site; the provider's session goes on."""
    flask.session.pop("oidc", None)
    flask.session.pop("krb5_login", None)
    return flask.redirect("/")


@blueprint.get("/api/")
def api_home() -> str:
    """The configuration of copr-cli."""
    config = flask.current_app.config
    url = with_protocol(f"https://{config['PUBLIC_COPR_HOSTNAME']}", config["ENFORCE_PROTOCOL_FOR_FRONTEND_URL"])
    return flask.render_template("api.html", url=url, user=flask.g.user)


@blueprint.route("/api/new/", methods=["GET", "POST"])
def api_new_token() -> flask.typing.ResponseReturnValue:
    """Another token."""
    if flask.g.user is None:
        return flask.redirect(flask.url_for("misc.oidc_login", next=flask.request.url))
    users.renew_token(flask.g.user)
    db.session.commit()
    return flask.redirect(flask.url_for("misc.api_home"))
