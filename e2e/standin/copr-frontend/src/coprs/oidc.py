"""The OpenID Connect client, registered as Copr does it: by authlib, from the same keys of copr.conf."""

from __future__ import annotations

import flask
from authlib.integrations.flask_client import OAuth

from coprs.errors import BadRequest

oauth = OAuth()

# Copr takes no other claim for a user's name.
_CLAIMS = ("username", "preferred_username")
_MANDATORY = ("OIDC_PROVIDER_NAME", "OIDC_CLIENT", "OIDC_SECRET", "OIDC_SCOPES", "OIDC_METADATA")


def enabled(config: flask.Config) -> bool:
    """Whether copr.conf has what a login takes."""
    return (config["OIDC_LOGIN"] is True and all(config.get(key) for key in _MANDATORY)
            and config["OIDC_USERNAME_CLAIM"] in _CLAIMS)


def setup(app: flask.Flask) -> None:
    """Register the provider, if there is one. Nothing is asked of it yet."""
    oauth.init_app(app)
    if not enabled(app.config):
        if app.config["OIDC_LOGIN"]:
            app.logger.error("OIDC_LOGIN is set, but one of %s isn't, or OIDC_USERNAME_CLAIM is none of %s",
                             ", ".join(_MANDATORY), ", ".join(_CLAIMS))
        return
    oauth.register(
        name="copr",
        server_metadata_url=app.config["OIDC_METADATA"],
        client_id=app.config["OIDC_CLIENT"],
        client_secret=app.config["OIDC_SECRET"],
        client_kwargs={
            "scope": app.config["OIDC_SCOPES"],
            "token_endpoint_auth_method": app.config["OIDC_TOKEN_AUTH_METHOD"],
        },
    )


def username(userinfo: dict) -> str:
    """The user's name, by the claim that copr.conf names."""
    claim = flask.current_app.config["OIDC_USERNAME_CLAIM"]
    try:
        return userinfo[claim]
    except KeyError:
        raise BadRequest(f"The provider's user info has no claim {claim}") from None
