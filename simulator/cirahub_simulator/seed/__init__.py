"""Where a world comes from: the shipped organisation, a seed file, or people as JSON Lines.

`organisation.jsonl` is written by `generate.py` and never edited; `record.py` documents the format
and `seed.schema.json` states it as JSON Schema.
"""
