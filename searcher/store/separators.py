"""Signs that FTS5 takes for letters: they stand between words, and are spaces in what it sees.

Its tables are those of Unicode 6.1 (2012); what these do not know counts as private use, which is as good as letters.
Otherwise the letters of scripts that came later would be none. But ₽ and 🤩 came later too, and bullets of Word's fonts
are of private use: a word that one of them touches would be lost. Here is what is neither letter, digit nor mark in
Unicode 18.
"""

__all__ = ["SEPARATORS"]

SEPARATORS = (
    "["
    "\u058d\u058e\u0605\u061c\u061d\u07fe\u07ff\u0888\u0890\u0891\u08e2\u09fd\u0a76\u0c77\u0c84\u0d4f\u1b4e\u1b4f"
    "\u1b7d-\u1b7f\u2066-\u2069\u20ba-\u20c4\u218a\u218b\u23f4-\u2429\u2700\u2b4d-\u2bff\u2e3c-\u2e63"
    "\u2ffc-\u2fff\u31e4-\u31ef\u32ff\ua8fc\uab5b\uab6a\uab6b\ue000-\uf8ff\ufbc2-\ufbd2\ufd40-\ufd4f\ufd90\ufd91"
    "\ufdc8-\ufdcf\ufdfe\ufdff\U0001018c-\U000101a0\U0001056f\U00010877\U00010878\U00010ac8\U00010af0-\U00010af6"
    "\U00010b99-\U00010b9c\U00010d6e\U00010d8e\U00010d8f\U00010ead\U00010ec9\U00010eca\U00010ed0-\U00010ed8"
    "\U00010f55-\U00010f59\U00010f86-\U00010f89\U000110cd\U00011174\U00011175\U000111cd\U000111db"
    "\U000111dd-\U000111df\U00011238-\U0001123d\U000112a9\U000113d4-\U000113d8\U0001144b-\U0001144f"
    "\U0001145a-\U0001145d\U000114c6\U000115c1-\U000115d7\U00011641-\U00011643\U00011660-\U0001166c\U000116b9"
    "\U0001173c-\U0001173f\U0001183b\U00011944-\U00011946\U000119e2\U00011a3f-\U00011a46\U00011a9a-\U00011a9c"
    "\U00011a9e-\U00011aa2\U00011b00-\U00011b09\U00011be1\U00011c41-\U00011c45\U00011c70\U00011c71"
    "\U00011ef7\U00011ef8\U00011f43-\U00011f4f\U00011fd5-\U00011fff\U00012474\U00012ff1\U00012ff2"
    "\U00013430-\U0001343f\U00016a6e\U00016a6f\U00016af5\U00016b37-\U00016b3f\U00016b44\U00016b45"
    "\U00016d6d-\U00016d6f\U00016e97-\U00016e9a\U00016fe2\U0001bc9c\U0001bc9f-\U0001bca3\U0001cc00-\U0001ccef"
    "\U0001ccfa-\U0001cefd\U0001cf50-\U0001cfc3\U0001d1de-\U0001d1ff\U0001d253-\U0001d25a\U0001d25d\U0001d25e"
    "\U0001d260-\U0001d27f\U0001d800-\U0001d9ff\U0001da37-\U0001da3a\U0001da6d-\U0001da74\U0001da76-\U0001da83"
    "\U0001da85-\U0001da8b\U0001db00-\U0001db1c\U0001e14f\U0001e2ff\U0001e5ff\U0001e95e\U0001e95f\U0001ecac"
    "\U0001ecb0\U0001ed2e\U0001f0bf-\U0001f0f5\U0001f10d-\U0001fbef\U0001fbfa\U000f0000-\U0010fffd"
    "]+"
)
