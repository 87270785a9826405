"""Gives the administrator the e-mail address and the API token of the instance, and takes the token from whoever had it.

manage.py has no command for it. The values come from the environment.
"""

import datetime
import os
import secrets
import sys

# The frontend's package is in the working directory, as for manage.py.
sys.path.insert(0, os.getcwd())

# pylint: disable=wrong-import-position
from coprs import app, db, models
from sqlalchemy import or_
from sqlalchemy.exc import SQLAlchemyError

# This token lives as long as its Secret; everybody else's keep the frontend's own limit. Nobody but this script sets
# such a date, so it also tells who was the administrator before.
FOREVER = datetime.date(9999, 12, 31)
EXPIRED = datetime.date(1970, 1, 1)


def revoke(user):
    """Nobody can log in with the user's API token any more."""
    # 40 characters are what the columns hold.
    user.api_login = secrets.token_hex(20)
    user.api_token = secrets.token_hex(20)
    user.api_token_expiration = EXPIRED


def revoke_former(name, login):
    """The instance's administrator under another name, or with credentials that were rotated, is one no more."""
    user = models.User
    held = or_(user.api_login == login, user.api_token_expiration == FOREVER)
    for former in db.session.query(user).filter(user.username != name, held).all():
        former.admin = False
        revoke(former)
        print(f"seed: {former.username} is no longer the administrator")
    db.session.flush()


def main():
    """Entry point."""
    name, login = os.environ["COPR_USER"], os.environ["COPR_API_LOGIN"]
    revoke_former(name, login)
    admin = db.session.query(models.User).filter(models.User.username == name).first()
    if admin is None:
        sys.exit(f"LookupError: add-user made no user {name}")
    admin.mail = os.environ["COPR_EMAIL"]
    admin.admin = True
    admin.api_login = login
    admin.api_token = os.environ["COPR_API_TOKEN"]
    admin.api_token_expiration = FOREVER
    db.session.commit()
    print(f"seed: {name} is the administrator")


def run(step):
    """Runs it with the frontend's context. What fails is told without the statement's parameters: tokens are among them."""
    try:
        with app.app_context():
            step()
    except SQLAlchemyError as failure:
        sys.exit(f"{type(failure).__name__}: {str(getattr(failure, 'orig', None) or type(failure)).splitlines()[0]}")


if __name__ == "__main__":
    run(main)
