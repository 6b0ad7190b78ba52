"""What others make of the files that lbsim writes: HdrHistogram's reader of logs, Apache Arrow's of Parquet, and the
schema by which Jenkins reads JUnit. Says so where they read something else than the CSV files have.

Usage: read.py FOLDER JUNIT SCHEMA, FOLDER a results folder with requests/*.parquet, requests-csv/*.csv and histograms/."""

import csv
import pathlib
import sys

import pyarrow.parquet
import xmlschema
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

folder, junit, schema = map(pathlib.Path, sys.argv[1:])
HOUR = 3_600_000_000_000


def table(name):
    with open(folder / name, newline="") as file:
        return list(csv.DictReader(file))


# Histograms: as many answers as runs.csv has, percentiles within what both round by.
strategies = list(dict.fromkeys(row["strategy"] for row in table("runs.csv")))
summary = {(row["strategy"], row["metric"]): row["estimate"] for row in table("summary.csv")}
log = HistogramLogReader(str(folder / "histograms/latency.hlog"), HdrHistogram(1, HOUR, 3))
for strategy in strategies:
    histogram = log.get_next_interval_histogram()
    answered = sum(int(row["succeeded"]) for row in table("runs.csv") if row["strategy"] == strategy)
    assert histogram.get_total_count() == answered, (strategy, histogram.get_total_count(), answered)
    for percentile, column in [(50, "p50_ms"), (90, "p90_ms"), (99, "p99_ms"), (99.9, "p999_ms")]:
        if not summary[strategy, column]:
            continue  # Too few requests are beyond it.
        due = float(summary[strategy, column])
        found = histogram.get_value_at_percentile(percentile) / 1e6
        assert abs(found / due - 1) < 2e-3, (strategy, percentile, found, due)
assert log.get_next_interval_histogram() is None

# Percentile tables: the last value is the longest.
for at, strategy in enumerate(strategies, 1):
    (path,) = (folder / "histograms").glob(f"{at}-*.hgrm")
    values = [float(line.split()[0]) for line in path.read_text().splitlines()[2:] if not line.startswith("#")]
    longest = max(float(row["max_ms"]) for row in table("runs.csv") if row["strategy"] == strategy)
    assert values == sorted(values) and abs(values[-1] / longest - 1) < 1e-3, (strategy, values[-1], longest)

# Parquet: the same rows as CSV, of the same types in each file.
files = sorted((folder / "requests").glob("*.parquet"))
assert len(files) == len(table("runs.csv"))
rows = 0
for path in files:
    found = pyarrow.parquet.read_table(path)
    with open(folder / "requests-csv" / (path.stem + ".csv"), newline="") as file:
        due = list(csv.DictReader(file))
    assert found.schema.names == list(due[0]), found.schema.names
    assert found.num_rows == len(due)
    for name in found.schema.names:
        for one, other in zip(found.column(name).to_pylist(), (row[name] for row in due)):
            if one is None:
                same = other == ""
            elif isinstance(one, bool):
                same = str(one).lower() == other
            elif isinstance(one, float):
                same = abs(one - float(other)) < 1e-9 * max(1.0, one)
            else:
                same = str(one) == other
            assert same, (path.name, name, one, other)
    rows += len(due)

# JUnit: valid, and as many cases as there are requirements.
xmlschema.validate(str(junit), str(schema))
cases = xmlschema.XMLResource(str(junit)).root.iter("testcase")
required = table("requirements.csv")
assert len(list(cases)) == len(required), len(required)

print(f"{len(strategies)} histograms, {rows} requests, {len(required)} requirements: read by others as they are meant")
