"""Floor 0: money, time, identifiers, errors and settings. Imports no other room."""
