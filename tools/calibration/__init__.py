"""Calibration: what a chip's constants must be so that it agrees with a reference."""
