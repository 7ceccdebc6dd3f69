"""Speed and calibration, measured and printed; nothing here is part of the package."""
