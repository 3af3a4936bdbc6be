"""Has what PyPI shows lead to this repository, at this tag.

    python links.py https://github.com/OWNER/mpota TAG
"""

import pathlib
import re
import sys

PAGE, TAG = sys.argv[1:]
PLACEHOLDER = "https://github.com/OWNER/mpota"

project = pathlib.Path("pyproject.toml")
text = project.read_text(encoding="utf-8")
assert PLACEHOLDER in text, "pyproject.toml names no repository to replace"
project.write_text(text.replace(PLACEHOLDER, PAGE), encoding="utf-8", newline="\n")

# A link like (docs/keys.md) leads nowhere on PyPI.
readme = pathlib.Path("README.md")
text = readme.read_text(encoding="utf-8")
text, _ = re.subn(r"(!\[[^\]]*)\]\((?!https?:)([^)]+)\)", rf"\1]({PAGE}/raw/{TAG}/\2)", text)
text, count = re.subn(r"\]\((?!https?:|#)([^)]+)\)", rf"]({PAGE}/blob/{TAG}/\1)", text)
assert count, "README.md has no link"
readme.write_text(text, encoding="utf-8", newline="\n")
