"""Input and paging that several endpoints share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import flask
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from coprs.database import db
from coprs.errors import BadRequest
from coprs.logic import projects
from coprs.models import Copr


def input_data() -> dict[str, Any]:
    """The request's JSON, which comes as a file of that name beside an upload."""
    if "json" in flask.request.files:
        try:
            data = json.load(flask.request.files["json"])
        except ValueError as error:
            raise BadRequest(f"Malformed JSON: {error}") from error
    else:
        data = flask.request.get_json(silent=True) or dict(flask.request.form)
    if not isinstance(data, dict):
        raise BadRequest("The request's JSON must be an object")
    return {key: value for key, value in data.items() if value is not None}


def argument(name: str) -> str:
    """A mandatory query argument."""
    value = flask.request.args.get(name)
    if value is None:
        raise BadRequest(f"Missing argument {name}")
    return value


def flag(name: str) -> bool:
    """An optional boolean query argument."""
    return flask.request.args.get(name) in ("True", "true", "1")


def copr_from(data: dict[str, Any]) -> Copr:
    """The project that the request's data names."""
    for key in ("ownername", "projectname"):
        if not data.get(key):
            raise BadRequest(f"Missing argument {key}")
    return projects.get(data["ownername"], data["projectname"])


def copr_from_arguments() -> Copr:
    """The project that the query names."""
    return projects.get(argument("ownername"), argument("projectname"))


def _number(name: str) -> int | None:
    value = flask.request.args.get(name)
    if not value:
        return None
    if not value.isdigit():
        raise BadRequest(f"{name}: Not a valid integer value.")
    return int(value)


def page(query: Select, model: Any, render: Callable[[Any], dict],
         keep: Callable[[dict], bool] | None = None) -> flask.Response:
    """One page of a query's rows, as the client's limit, offset and order ask.

    `keep` filters on what the database doesn't know, so the limit comes after it.
    """
    limit, offset = _number("limit"), _number("offset") or 0
    order = flask.request.args.get("order") or "id"
    order_type = flask.request.args.get("order_type") or (
        "DESC" if order == "id" else "ASC")
    column = getattr(model, order, None)
    if not isinstance(column, InstrumentedAttribute):
        raise BadRequest(f"Cannot order by {order}")
    query = query.order_by(column.desc() if order_type == "DESC" else column.asc())
    query = query.offset(offset)
    if keep is None:
        query = query.limit(limit)
    items = [render(row) for row in db.session.scalars(query)]
    if keep is not None:
        items = [item for item in items if keep(item)][:limit]
    return flask.jsonify(items=items, meta={
        "limit": limit, "offset": offset, "order": order, "order_type": order_type})
