"""Names and addresses made up for customers whose file has none. Obviously so, and the same for the same number."""

import hashlib
import re

DOMAIN = "customers.example"
"""Reserved by RFC 2606: no message to it can reach anyone."""
_NOT_ADDRESS = re.compile(r"[^a-z0-9-]+")


def name(customer_number: str) -> str:
    return f"Customer {customer_number}"


def address(customer_number: str) -> str:
    """An e-mail address; numbers that differ only in characters an address cannot have stay different."""
    plain = customer_number.lower()
    slug = _NOT_ADDRESS.sub("-", plain).strip("-")[:40]
    if slug != plain:
        slug = f"{slug}-{hashlib.sha256(plain.encode()).hexdigest()[:8]}".lstrip("-")
    return f"{slug}@{DOMAIN}"
