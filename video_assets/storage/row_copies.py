"""Rows that go from one catalogue into another, through COPY in its binary form."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import tuple_row

from video_assets.storage.copied_tables import OWNER, REPORTED, SPACE, Table
from video_assets.storage.row_digests import Columns, Scope, newer, of_spaces


@dataclass(frozen=True)
class Copier:
    """Copies rows of one owner at the source to another at the target.

    source, target  connections, within a transaction each
    owner           of the rows at the target
    spaces          a model's number at the source -> its number at the target
    decided         of rows about places, which of the target's the source decides about, in SQL
    """

    source: Any
    target: Any
    columns: Columns
    owner: UUID
    spaces: Mapping[int, int]
    decided: sql.Composed

    def replace(self, table: Table, scope: Scope) -> None:
        """Let the target have of some clips exactly the rows that the source has."""
        theirs = Scope(self.owner, scope.clips, scope.contents)
        self.target.execute(
            sql.SQL("DELETE FROM {} WHERE {}").format(_name(table), theirs.of(table))
        )
        self._copy(table, scope, _name(table))

    def merge(self, table: Table, scope: Scope) -> list[tuple[Any, ...]]:
        """Take over rows that the target lacks or has older; gives the keys of what changed."""
        stage = sql.Identifier(f"copied_{table.name}")
        self.target.execute(
            sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                stage, self._names(table), _name(table)
            )
        )
        self._copy(table, scope, stage)
        with self.target.cursor(row_factory=tuple_row) as cursor:
            changed = cursor.execute(self._upsert(table, stage)).fetchall()
        if table.host:
            self._remove(table, stage, scope)
        self.target.execute(sql.SQL("DROP TABLE {}").format(stage))
        return changed

    def _copy(self, table: Table, scope: Scope, goal: sql.Composable) -> None:
        wanted = of_spaces(table, scope.of(table), self.columns, list(self.spaces))
        query = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT (FORMAT binary)").format(
            sql.SQL(", ").join(map(self._value, self.columns[table.name])), _name(table), wanted
        )
        into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(goal, self._names(table))
        with self.source.cursor().copy(query) as out, self.target.cursor().copy(into) as taken:
            for data in out:
                taken.write(data)

    def _value(self, column: str) -> sql.Composable:
        """What stands for a column's value at the target."""
        if column == OWNER:
            return sql.SQL("{}::uuid").format(self.owner)
        if column == REPORTED:  # of failures nobody is told
            return sql.SQL("status <> 'done'")
        if column == SPACE:
            cases = [
                sql.SQL("WHEN {} THEN {}::smallint").format(here, there)
                for here, there in self.spaces.items()
            ]
            return sql.SQL("CASE space {} END").format(
                sql.SQL(" ").join(cases or [sql.SQL("WHEN 0 THEN 0::smallint")])
            )
        return sql.Identifier(column)

    def _upsert(self, table: Table, stage: sql.Identifier) -> sql.Composed:
        names = self._names(table)
        told = [each for each in self.columns[table.name] if each != REPORTED]
        old, new = (_columns(side, told) for side in ("t", "excluded"))
        differs = sql.SQL("ROW({})::text IS DISTINCT FROM ROW({})::text").format(old, new)
        if OWNER in told:  # who has this key may be somebody else
            differs = sql.SQL("{} AND t.user_id = excluded.user_id").format(differs)
        if table.newer is not None:
            differs = sql.SQL("{} AND {} >= {}").format(
                differs, newer(table, "excluded"), newer(table, "t")
            )
        return sql.SQL(
            "INSERT INTO {} AS t ({}) SELECT {} FROM {} "
            "ON CONFLICT ({}) DO UPDATE SET ({}) = ROW({}) WHERE {} RETURNING {}"
        ).format(
            _name(table),
            names,
            names,
            stage,
            sql.SQL(", ").join(map(sql.Identifier, self._conflict(table))),
            names,
            _columns("excluded", list(self.columns[table.name])),
            differs,
            _columns("t", table.key),
        )

    def _conflict(self, table: Table) -> Sequence[str]:
        """The columns of the unique constraint that the key stands for."""
        is_of_owner = OWNER in self.columns[table.name] and table.key[0] not in ("id", "run_id")
        return (*table.key, OWNER) if is_of_owner else table.key

    def _remove(self, table: Table, stage: sql.Identifier, scope: Scope) -> None:
        """Remove places of which the source knows that nothing is there any more."""
        theirs = Scope(self.owner, scope.clips, scope.contents)
        same = sql.SQL(" AND ").join(
            sql.SQL("s.{0} = t.{0}").format(sql.Identifier(name)) for name in table.key
        )
        self.target.execute(
            sql.SQL(
                "DELETE FROM {} AS t WHERE {} AND {} AND NOT EXISTS (SELECT FROM {} AS s WHERE {})"
            ).format(_name(table), theirs.of(table), self.decided, stage, same)
        )

    def _names(self, table: Table) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.columns[table.name]))


def _columns(side: str, names: Collection[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(side, name) for name in names)


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier("public", table.name)
