"""The law as pure functions over dated, sourced packs: contact rules, legal bases, allocation of payments.

Collected from public material; not legal advice. A figure that was not seen in a source is marked
`verified = false`; a figure that is missing for a date raises `packs.NoRate`.
"""
