"""Where the page's files lie. A file of its own, because an image merges the others."""

FOLDER = __file__.replace("\\", "/").rsplit("/", 1)[0] + "/assets/"
