"""Whole batches within limits: dual prices, assignments, and policies that draw."""
