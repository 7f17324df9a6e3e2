"""Colours of price bands: cold for cheap, warm for dear, apart for people who see few colours."""

# From the cheapest of eight to the dearest; blue to yellow to red, of rising contrast.
SCALE = (
    "#2166ac", "#4393c3", "#92c5de", "#d1e5f0", "#fee090", "#fdae61", "#f46d43", "#b2182b",
)  # fmt: skip
DARK, LIGHT = "#10202a", "#ffffff"
HALF = 140  # of 255: a lighter background takes dark letters


def of_bands(ranked: list[int]) -> dict[int, str]:
    """A colour for each band; `ranked` are the bands from the cheapest to the dearest."""
    last = max(len(ranked) - 1, 1)
    places = [round(place * (len(SCALE) - 1) / last) for place in range(len(ranked))]
    return {band: SCALE[place] for band, place in zip(ranked, places, strict=True)}


def letters_on(colour: str) -> str:
    """The colour of letters that can be read on `colour`."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return DARK if 0.299 * red + 0.587 * green + 0.114 * blue > HALF else LIGHT
