"""Quantile regression, its bootstrap, and what every quantile method checks; the tests are in `granger_quantile`."""
