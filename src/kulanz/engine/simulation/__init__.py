"""Simulated customers and the simulated ladder year. Nothing in here is measured on people."""
