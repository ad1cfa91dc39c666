"""Requests of an API written in SQL."""

import json
from typing import Any

from psycopg import sql

from video_assets_tests.security.attempts import Request


def statement(request: Request) -> tuple[sql.Composed, list[Any]]:
    """Write a request in SQL, as PostgREST does: values come as one document."""
    name, document = name_of(request), json.dumps(request.values)
    columns = [sql.Identifier(each) for each in request.values]
    listed = sql.SQL(", ").join(columns)
    chosen = sql.SQL(", ").join(sql.SQL("r.{}").format(each) for each in columns)
    if request.verb == "call":
        return _call(request)
    if request.verb in ("add", "put"):
        insert = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM jsonb_populate_record(NULL::{}, %s) r")
        query = insert.format(name, listed, chosen, name)
        if request.verb == "put":
            keys = sql.SQL(", ").join(map(sql.Identifier, request.where))
            sets = sql.SQL(", ").join(
                sql.SQL("{} = excluded.{}").format(each, each) for each in columns
            )
            query += sql.SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(keys, sets)
        return query, [document]
    is_so, values = _condition(request)
    if request.verb == "read":
        return sql.SQL("SELECT to_jsonb(x)::text FROM {} AS x WHERE {}").format(name, is_so), values
    if request.verb == "remove":
        return sql.SQL("DELETE FROM {} AS x WHERE {}").format(name, is_so), values
    sets = sql.SQL(", ").join(sql.SQL("{} = r.{}").format(each, each) for each in columns)
    query = sql.SQL(
        "UPDATE {} AS x SET {} FROM jsonb_populate_record(NULL::{}, %s) r WHERE {}"
    ).format(name, sets, name, is_so)
    return query, [document, *values]


def _condition(request: Request) -> tuple[sql.Composed, list[Any]]:
    """Compare columns as the rows of a table that a document holds."""
    if not request.where:
        return sql.SQL("{}").format(sql.SQL("true")), []
    same = sql.SQL(" AND ").join(
        sql.SQL("x.{} IS NOT DISTINCT FROM (jsonb_populate_record(NULL::{}, %s)).{}").format(
            sql.Identifier(column), name_of(request), sql.Identifier(column)
        )
        for column in request.where
    )
    return same, [json.dumps(request.where)] * len(request.where)


def _call(request: Request) -> tuple[sql.Composed, list[Any]]:
    values = [value for _, _, value in request.arguments]
    told = sql.SQL(", ").join(
        sql.SQL("{}%s::{}").format(
            sql.SQL("{} => ").format(sql.Identifier(name)) if name else sql.SQL(""),
            sql.SQL(kind),  # pyright: ignore[reportArgumentType]  by Postgres
        )
        for name, kind, _ in request.arguments
    )
    query = sql.SQL("SELECT to_jsonb(x)::text FROM {}({}) AS x")
    return query.format(name_of(request), told), values


def name_of(request: Request) -> sql.Identifier:
    """Write what a request is about."""
    return sql.Identifier(request.schema, request.name)
