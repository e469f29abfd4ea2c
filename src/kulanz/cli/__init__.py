"""The `kulanz` command: tables and progress bars for people, one JSON document with --json."""
