"""Passwords, hashed with argon2id at the library's current defaults (RFC 9106)."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.core.exceptions import InvalidInput
from backend.words import Message

MINIMUM_LENGTH = 10
"""Chosen: above the 8 that NIST SP 800-63B asks for at least."""
MAXIMUM_LENGTH = 200
"""Chosen: above the 64 that NIST SP 800-63B wants allowed; longer ones only cost hashing time."""

_hasher = PasswordHasher()
# Verified against when the user does not exist, so that the answer takes equally long.
_nobody = _hasher.hash("the password of nobody")


def hash_password(password: str) -> str:
    """The argon2id hash of ``password``.

    Raises:
        InvalidInput: it is too short or too long.
    """
    if not MINIMUM_LENGTH <= len(password) <= MAXIMUM_LENGTH:
        raise InvalidInput(
            Message.ngettext(
                "The password has {n} character.",
                "The password has {n} characters.",
                n=len(password),
            ),
            field="password",
            remedy=Message(
                "Choose one of {low} to {high} characters.", low=MINIMUM_LENGTH, high=MAXIMUM_LENGTH
            ),
        )
    return _hasher.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """True if ``password`` has this hash; as slow when there is no hash to compare with."""
    try:
        _hasher.verify(password_hash or _nobody, password[: MAXIMUM_LENGTH + 1])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
