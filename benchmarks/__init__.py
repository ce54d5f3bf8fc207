"""Measurements: each prints its figures, and ratios to a peer that ran in the same run."""
