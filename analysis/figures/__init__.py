"""Figures: one function a figure, result in, figure out."""
