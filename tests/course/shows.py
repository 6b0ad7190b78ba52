"""Runs the commands of the course, at the length that a class runs them, and holds what its lessons say against what comes out.

A lesson says what a command shows in comments after it, in the words of requirements: `<!-- shows: mean of random > 48ms -->`. Each
must be shown to hold. Usage: shows.py LBSIM"""

import csv
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LBSIM = pathlib.Path(sys.argv[1]).resolve()
SHOWS = re.compile(r"<!-- shows: (.*) -->")


def commands(lesson):
    """Each command of a lesson, with what it is said to show."""
    found, in_shell = [], False
    for line in lesson.read_text().splitlines():
        if line.startswith("```"):
            in_shell = line == "```sh"
        elif in_shell and line.startswith("lbsim "):
            found.append((shlex.split(line.split(" #")[0])[1:], []))
        elif match := SHOWS.match(line):
            found[-1][1].append(match[1])
    return found


def required(scenario, shows):
    """A scenario that requires this, and nothing else."""
    sections = re.split(r"(?m)^(?=\[)", scenario)
    kept = [section for section in sections if not section.startswith("[[require]]")]
    return "".join(kept) + "".join(f"\n[[require]]\nthat = '''{that}'''\n" for that in shows)


def main():
    ran = said = 0
    wrong = []
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        for lesson in sorted((ROOT / "docs/course").glob("[0-9]*.md")):
            for words, shows in commands(lesson):
                shutil.rmtree(place, ignore_errors=True)
                shutil.copytree(ROOT / "scenarios", place / "scenarios")
                files = [place / word for word in words if word.endswith(".toml")]
                if words[0] == "run":
                    for file in files:
                        file.write_text(required(file.read_text(), shows))
                done = subprocess.run([LBSIM, *words, "--quiet"], cwd=place, capture_output=True, text=True)
                ran += 1
                if done.returncode not in (0, 3):
                    wrong.append(f"{lesson.name}: lbsim {' '.join(words)}\n{done.stderr}")
                    continue
                for file in files if shows else []:
                    with open(place / "results" / file.stem / "requirements.csv", newline="") as rows:
                        for row in csv.DictReader(rows):
                            said += 1
                            if row["decision"] != "holds":
                                wrong.append(f"{lesson.name}: {row['requirement']}: {row['decision']}, for {row['measured']}")
    print("\n".join(wrong))
    print(f"{ran} commands, {said} of their figures held against what the lessons say; {len(wrong)} faults")
    sys.exit(bool(wrong))


main()
