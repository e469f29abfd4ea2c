"""Kulanz: self-hosted, intelligent receivables management."""

__version__ = "0.1.0"
