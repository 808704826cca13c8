"""Run the SQL text of tsumugi-tables' operators in DuckDB and compare with what the Rust code keeps.

Usage: cargo run -q -p tsumugi-tables --example operators | python tests/interop/sql_operators.py

Needs PyPI duckdb and pyarrow (made with duckdb 2.0.0, pyarrow 26.0.1). Exits with 1 on the first difference.
"""

import json
import sys

import duckdb
import pyarrow as pa

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("alt", pa.string()),
        ("phash", pa.int64()),
        ("year", pa.int64()),
        ("bands", pa.list_(pa.int64())),
        ("score", pa.float64()),
        ("scores", pa.list_(pa.float64())),
        ("draw", pa.string()),
    ]
)


def check(connection: duckdb.DuckDBPyConnection, case: dict) -> bool:
    result = connection.execute(case["sql"]).fetchall()
    if "ids" in case:
        return sorted(row[0] for row in result) == case["ids"]
    if "value" in case:
        return abs(result[0][0] - case["value"]) <= 1e-9 * max(1.0, abs(case["value"]))
    return sorted(map(list, result)) == case["pairs"]


def main() -> int:
    cases = 0
    for line in sys.stdin:
        table = json.loads(line)
        connection = duckdb.connect()
        rows = pa.Table.from_pylist(table["rows"], schema=SCHEMA)
        connection.register("rows_arrow", rows)
        connection.execute('CREATE TABLE records AS SELECT * FROM rows_arrow')
        connection.register("first_records", rows.slice(0, 100))
        for case in table["cases"]:
            if not check(connection, case):
                print(f"differs: {case['sql']}", file=sys.stderr)
                return 1
            cases += 1
    if cases == 0:
        print("no cases on standard input", file=sys.stderr)
        return 1
    print(f"{cases} statements agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
