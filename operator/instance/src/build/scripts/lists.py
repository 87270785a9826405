"""Makes true what the spec's lists say: chroots, users, groups and dist-gits. The argument is the file that has them.

What was in a list and is no longer is taken back, and nothing else: administrators of Copr add things of their own. A table
beside Copr's keeps what the lists had when this ran last.
"""

import datetime
import json
import os
import secrets
import subprocess
import sys

from admin import revoke, run
# pylint: disable=wrong-import-order
from coprs import db, models
from sqlalchemy import Column, MetaData, String, Table, delete, insert, select

RECORD = Table("copr_operator_lists", MetaData(), Column("kind", String(20), primary_key=True),
               Column("name", String(300), primary_key=True), Column("state", String(20), nullable=False))

# Not the administrator's, which tells who that is.
LASTING = datetime.date(9999, 1, 1)


def say(text):
    """To the log."""
    print(f"seed: {text}", flush=True)


def manage(*arguments):
    """Runs a command of Copr's. Its log says why it fails; manage.py logs its command line: no secret may be in it."""
    # What was read is as old as this transaction.
    db.session.commit()
    if subprocess.run(["./manage.py", *arguments], check=False).returncode:
        sys.exit(f"seed: manage.py {' '.join(arguments[:3])} failed")


def recorded(kind):
    """What a list had, and in which state."""
    rows = db.session.execute(select(RECORD.c.name, RECORD.c.state).where(RECORD.c.kind == kind))
    return {row.name: row.state for row in rows}


def record(kind, states):
    """What a list has now."""
    db.session.execute(delete(RECORD).where(RECORD.c.kind == kind))
    for name, state in states.items():
        db.session.execute(insert(RECORD).values(kind=kind, name=name, state=state))


def chroot(name):
    """Copr's chroot of that name, if it has one."""
    table = models.MockChroot
    release, version, arch = name.rsplit("-", 2)
    found = db.session.query(table).filter(
        table.os_release == release, table.os_version == version, table.arch == arch)
    return found.populate_existing().first()


def alter_chroots(action, names):
    """Has Copr do that to the chroots, and looks whether it did."""
    if not names:
        return
    manage("alter-chroot", "--action", action, *names)
    for name in names:
        if chroot(name).is_active != (action == "activate"):
            sys.exit(f"LookupError: alter-chroot --action {action} did nothing to {name}")


def chroots(wanted, ended):
    """Offers those that are wanted, and no longer those that were and aren't."""
    missing = [name for name in wanted if chroot(name) is None]
    if missing:
        manage("create-chroot", *missing)
        unmade = [name for name in missing if chroot(name) is None]
        if unmade:
            sys.exit(f"LookupError: create-chroot made no chroot {unmade[0]}")
    known = recorded("chroot")
    # Activation takes back that the results of an inactive chroot are to be deleted; an active one may have such a date, too.
    alter_chroots("activate", [name for name in wanted if not chroot(name).is_active])
    there = {name: chroot(name) for name in (*ended, *known)}
    gone = [name for name, state in known.items() if state == "active" and name not in wanted and name not in ended]
    alter_chroots("deactivate", [name for name in gone if there[name] is not None and there[name].is_active])
    # Each time, results would be kept for as long again.
    alter_chroots("eol", [name for name in ended if there[name] is not None and known.get(name) != "ended"])
    states = {name: "ended" for name in ended if there[name] is not None}
    record("chroot", {**{name: "active" for name in wanted}, **states})
    db.session.commit()


def user(name):
    """Copr's user of that name, if there is one."""
    return db.session.query(models.User).filter(models.User.username == name).first()


def users(listed, admin):
    """Makes the accounts what they are said to be. The administrator's was seen to before."""
    known = recorded("user")
    for account in listed:
        if user(account["name"]) is None:
            manage("add-user", account["name"], account["email"])
            if user(account["name"]) is None:
                sys.exit(f"LookupError: add-user made no user {account['name']}")
    for name in set(known) - {account["name"] for account in listed} - {admin}:
        former = user(name)
        if former is not None:
            former.admin = False
            revoke(former)
            say(f"{name} is not listed any more: no administrator, and without a token")
    tokens = {account["name"]: account["token"] for account in listed if account["token"]}
    # A login may go from one to another.
    held = models.User.api_login.in_([token["login"] for token in tokens.values()])
    for holder in db.session.query(models.User).filter(held).all():
        if holder.username not in tokens:
            revoke(holder)
        elif holder.api_login != tokens[holder.username]["login"]:
            holder.api_login = secrets.token_hex(20)
    db.session.flush()
    for account in listed:
        there = user(account["name"])
        there.mail, there.admin = account["email"], account["admin"]
        token = account["token"]
        if token:
            there.api_login, there.api_token, there.api_token_expiration = token["login"], token["token"], LASTING
        elif known.get(account["name"]) == "token":
            revoke(there)
    record("user", {account["name"]: "token" if account["token"] else "listed" for account in listed})


def join(name, team, belongs):
    """Makes a user one of a team, or not. Where logins come with groups, the next one says otherwise."""
    there = user(name)
    if there is None:
        return
    teams = list((there.openid_groups or {}).get("fas_groups", []))
    if (team in teams) != belongs:
        teams = [*teams, team] if belongs else [other for other in teams if other != team]
        # Another object: the column doesn't see a change within.
        there.openid_groups = {"fas_groups": teams}
        say(f"{name} is {'a' if belongs else 'no'} member of {team}")


def groups(listed):
    """Makes the groups, and their members belong to them."""
    table = models.Group
    for group in listed:
        there = db.session.query(table).filter(table.fas_name == group["team"]).first()
        other = db.session.query(table).filter(table.name == group["name"], table.fas_name != group["team"]).first()
        if other is not None:
            sys.exit(f"ValueError: there is another group @{group['name']} already, of the team {other.fas_name}")
        if there is None:
            db.session.add(table(name=group["name"], fas_name=group["team"]))
        else:
            there.name = group["name"]
    wanted = {f"{name} {group['team']}" for group in listed for name in group["members"]}
    for membership in set(recorded("member")) - wanted:
        join(*membership.split(" ", 1), belongs=False)
    for membership in wanted:
        join(*membership.split(" ", 1), belongs=True)
    record("member", {membership: "listed" for membership in wanted})


def dist_gits(listed):
    """Makes the dist-gits known, and those unknown again that were made here."""
    table, known, states = models.DistGitInstance, recorded("dist-git"), {}
    for wanted in listed:
        there = db.session.query(table).filter(table.name == wanted["name"]).first()
        states[wanted["name"]] = known.get(wanted["name"], "made" if there is None else "found")
        if there is None:
            there = table(name=wanted["name"])
            db.session.add(there)
        for column in ("clone_url", "clone_package_uri", "default_namespace", "priority"):
            setattr(there, column, wanted[column])
    for name, state in known.items():
        if name not in states and state == "made":
            db.session.query(table).filter(table.name == name).delete()
            say(f"the dist-git {name} is not listed any more")
    record("dist-git", states)


def main():
    """Entry point."""
    with open(sys.argv[1], encoding="utf-8") as file:
        lists = json.load(file)
    RECORD.create(db.session.get_bind(), checkfirst=True)
    chroots(lists["chroots"], lists["ended"])
    users(lists["users"], os.environ["COPR_USER"])
    groups(lists["groups"])
    dist_gits(lists["distGits"])
    db.session.commit()


if __name__ == "__main__":
    run(main)
