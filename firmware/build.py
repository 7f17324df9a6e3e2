"""What the image builder knows of an image; these are the values of a developer's."""

RELEASE = False  # True: no prompt on the serial line of a commissioned meter
BUILT = 1_795_824_000  # unix time; no clock of a meter is before it
SAFE_PIN = 33  # held to ground while it starts: safe mode; the button of every ESP32 board
