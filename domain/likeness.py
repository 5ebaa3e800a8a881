"""How alike two texts are: the normalised indel similarity, by their longest common subsequence.

The subsequence is found bit-parallel: a row of the table is one integer (Crochemore, Iliopoulos, Pinzon and Reid 2001;
Hyyrö 2004). One text is walked letter by letter, the other is as many machine words wide as its length needs.
"""


def ratio(one: str, other: str, *, at_least: float = 0.0) -> float:
    """Return 0 (no letter in common) to 100 (equal): twice the longest common subsequence per hundred of both lengths.

    What would be less than `at_least` is 0; lengths that cannot reach it are not compared at all.
    """
    if one == other:
        return 100.0
    if len(one) < len(other):
        one, other = other, one
    both = len(one) + len(other)
    if 200 * len(other) < at_least * both:
        return 0.0
    found = 200 * _common(one, other) / both
    return found if found >= at_least else 0.0


def _common(wide: str, walked: str) -> int:
    """Return the length of the longest common subsequence of two texts."""
    places: dict[str, int] = {}
    bit = 1
    for letter in wide:
        places[letter] = places.get(letter, 0) | bit
        bit <<= 1
    every = row = bit - 1
    for letter in walked:
        if here := places.get(letter):
            step = row & here
            # The carry may run past the last letter; cutting it off once at the end is cheaper than here.
            row = (row + step) | (row - step)
    return len(wide) - (row & every).bit_count()
