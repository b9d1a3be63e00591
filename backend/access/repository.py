"""Every query on users and API keys."""

from sqlmodel import Session, col, func, select

from backend.models import ApiKey, User


def user_by_id(session: Session, user_id: int) -> User | None:
    """The user with this row id."""
    return session.get(User, user_id)


def user_by_email(session: Session, email: str) -> User | None:
    """The user with this (normalised) e-mail address."""
    return session.exec(select(User).where(User.email == email)).one_or_none()


def users(session: Session) -> list[User]:
    """All users by e-mail address."""
    return list(session.exec(select(User).order_by(col(User.email))))


def count_users(session: Session) -> int:
    """How many users there are."""
    return session.exec(select(func.count()).select_from(User)).one()


def lock_active_admins(session: Session) -> list[User]:
    """The administrators who may log in; no other transaction changes them before this one ends."""
    return list(
        session.exec(
            select(User)
            .where(User.role == "admin", col(User.is_disabled).is_(False))
            .order_by(col(User.id))
            .with_for_update()
        )
    )


def api_key_by_hash(session: Session, key_hash: str) -> ApiKey | None:
    """The key with this hash, revoked or not."""
    return session.exec(select(ApiKey).where(ApiKey.key_hash == key_hash)).one_or_none()


def api_key_by_prefix(session: Session, prefix: str) -> list[ApiKey]:
    """The keys that start like this."""
    return list(session.exec(select(ApiKey).where(ApiKey.prefix == prefix)))


def api_keys(session: Session) -> list[ApiKey]:
    """All keys, oldest first."""
    return list(session.exec(select(ApiKey).order_by(col(ApiKey.id))))


def add(session: Session, row: User | ApiKey) -> None:
    """Insert ``row``; its id is set afterwards."""
    session.add(row)
    session.flush()
