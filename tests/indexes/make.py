"""Makes the index of a format, with the searcher that is installed: python tests/indexes/make.py tests/indexes/format-N."""

import sys

from searcher import Searcher

TEXTS = [
    "The bank of the river is muddy.",
    "Money is kept in the bank.",
    "A boat is tied to a post.",
    "首都は東京です。",
]
METADATA = [{"lang": "en", "year": 1999}, {"lang": "en", "year": 2020}, None, {"lang": "ja"}]
GUIDE = b"# Baking\n\nBread rises with yeast.\n\n## Salt\n\nSalt slows the yeast down.\n"
FAQ = b"question,answer\nHow do I get in?,Use the back door.\n"

with Searcher(sys.argv[1]) as searcher:
    searcher.add_texts(TEXTS, ids=["river", "money", "boat", "tokyo"], metadatas=METADATA)
    searcher.add_bytes(GUIDE, "baking.md", suffix=".md")
    searcher.add_bytes(FAQ, "faq.csv", suffix=".csv")
    searcher.add_texts(["A boat is tied to the pier."], ids=["boat"])
    searcher.remove(ids=["money"])
