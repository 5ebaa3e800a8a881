"""Keyed hashes from the one secret that an archive keeps: each purpose has a key of its own.

The secret is made with the archive and lives in it, so that what was sealed holds when settings change. It guards what
leaves the archive (a bounce address, an exported list) against guessing, not against whoever has the archive itself.
"""

import hashlib
import hmac
from functools import lru_cache


def seal(secret: str, purpose: str, text: str) -> bytes:
    """Return 32 bytes that only who knows `secret` can make of `text`, and that differ from purpose to purpose."""
    return hmac.digest(_key(secret, purpose), text.encode("utf-8", "surrogatepass"), hashlib.sha256)


@lru_cache(maxsize=16)
def _key(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), f"paperround seal 1\0{purpose}".encode(), hashlib.sha256)


def unsealed(message_key: str) -> str:
    """Return the left part that a Message-ID had before these were sealed: whoever knows the key can make it."""
    return hashlib.sha256(message_key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def address_hash(secret: str, address_key: str) -> str:
    """Return the hex digits under which a suppression remembers a mailbox that may have been erased (mail.md item 31).

    `address_key` is what is equal for equal mailboxes (digests/addresses.py).
    """
    return seal(secret, "suppression", address_key).hex()
