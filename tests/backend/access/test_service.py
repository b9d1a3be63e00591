import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from backend.access.login import LOGIN_SECONDS, Login
from backend.access.login_limit import LoginLimit, TooManyAttempts
from backend.access.passwords import hash_password, password_matches
from backend.access.service import AccessService
from backend.audit.service import AuditTrail
from backend.core.exceptions import Conflict, InvalidInput, NotAuthenticated, NotFound
from backend.core.services import Services
from backend.models import ApiKey, User
from tests.backend.conftest import PASSWORD


@pytest.fixture
def session(services: Services) -> Iterator[Session]:
    with services.database.transaction() as opened:
        yield opened


@pytest.fixture
def access(session: Session, services: Services) -> AccessService:
    return AccessService(session, services.clock)


class TestUsers:
    def test_passwords_are_hashed_with_argon2id(
        self, access: AccessService, session: Session
    ) -> None:
        access.create_user("Ana@Example.org ", "lead", PASSWORD, actor="test")
        user = session.exec(select(User)).one()
        assert user.email == "ana@example.org"
        assert user.password_hash.startswith("$argon2id$")
        assert PASSWORD not in user.password_hash

    def test_the_right_password_and_no_other_lets_in(self, access: AccessService) -> None:
        access.create_user("ana@example.org", "lead", PASSWORD, actor="test")
        assert access.check_password("ANA@example.org", PASSWORD).role == "lead"
        for email, password in [
            ("ana@example.org", PASSWORD + "x"),
            ("ana@example.org", ""),
            ("bob@example.org", PASSWORD),
        ]:
            with pytest.raises(NotAuthenticated) as error:
                access.check_password(email, password)
            assert str(error.value) == "E-mail address or password is wrong."

    def test_a_disabled_user_stays_out_until_a_new_password(self, access: AccessService) -> None:
        access.create_user("ana@example.org", "lead", PASSWORD, actor="test")
        access.disable_user("ana@example.org", actor="test")
        with pytest.raises(NotAuthenticated):
            access.check_password("ana@example.org", PASSWORD)
        access.set_password("ana@example.org", "another " + PASSWORD, actor="test")
        access.check_password("ana@example.org", "another " + PASSWORD)

    @pytest.mark.parametrize(
        ("email", "role", "password", "field"),
        [
            ("ana", "lead", PASSWORD, "email"),
            ("ana@example.org", "owner", PASSWORD, "role"),
            ("ana@example.org", "lead", "short", "password"),
            ("ana@example.org", "lead", "x" * 201, "password"),
        ],
    )
    def test_wrong_input_names_the_field(
        self, access: AccessService, email: str, role: str, password: str, field: str
    ) -> None:
        with pytest.raises(InvalidInput) as error:
            access.create_user(email, role, password, actor="test")
        assert error.value.field == field
        assert error.value.remedy
        assert password not in str(error.value)

    def test_one_user_per_address(self, access: AccessService) -> None:
        access.create_user("ana@example.org", "lead", PASSWORD, actor="test")
        with pytest.raises(Conflict):
            access.create_user("ANA@example.org", "viewer", PASSWORD, actor="test")

    def test_everything_is_audited(
        self, access: AccessService, session: Session, services: Services
    ) -> None:
        user = access.create_user("ana@example.org", "lead", PASSWORD, actor="root")
        access.disable_user("ana@example.org", actor="root")
        events = AuditTrail(session, services.clock).latest(subject=f"user:{user.id}")
        assert [(event.actor, event.action) for event in events] == [
            ("root", "user.disabled"),
            ("root", "user.created"),
        ]


class TestKeys:
    def test_only_the_hash_is_kept(self, access: AccessService, session: Session) -> None:
        made = access.create_key("import", "engineer", actor="test")
        assert made.key.startswith("assay_")
        assert len(made.key) > 40
        row = session.exec(select(ApiKey)).one()
        assert row.key_hash == hashlib.sha256(made.key.encode()).hexdigest()
        assert made.key not in row.model_dump_json()
        assert row.prefix == made.key[:12]

    def test_unknown_keys_cannot_be_revoked(self, access: AccessService) -> None:
        with pytest.raises(NotFound):
            access.revoke_key("assay_nobody", actor="test")

    def test_a_nameless_key_is_refused(self, access: AccessService) -> None:
        with pytest.raises(InvalidInput):
            access.create_key("  ", "viewer", actor="test")


class TestLoginCookie:
    @pytest.fixture
    def user(self, access: AccessService, session: Session) -> User:
        access.create_user("ana@example.org", "lead", PASSWORD, actor="test")
        return session.exec(select(User)).one()

    def test_it_names_the_user(self, user: User, session: Session, services: Services) -> None:
        login = Login(services.settings)
        principal = login.by_cookie(session, login.cookie_for(user))
        assert principal is not None
        assert (principal.name, principal.role) == ("ana@example.org", "lead")

    def test_a_changed_or_foreign_cookie_is_nobody(
        self, user: User, session: Session, services: Services
    ) -> None:
        login = Login(services.settings)
        cookie = login.cookie_for(user)
        other = Login(services.settings.model_copy(update={"session_secret": None}))
        for forged in ("", "x", cookie[:-2] + "zz", "A" + cookie[1:], other.cookie_for(user)):
            assert login.by_cookie(session, forged) is None

    def test_it_expires(
        self,
        user: User,
        session: Session,
        services: Services,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        login = Login(services.settings)
        cookie = login.cookie_for(user)
        later = datetime.now(UTC).timestamp() + LOGIN_SECONDS + 2
        monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
        assert login.by_cookie(session, cookie) is None

    def test_it_ends_with_the_password_and_with_the_user(
        self, user: User, access: AccessService, session: Session, services: Services
    ) -> None:
        login = Login(services.settings)
        cookie = login.cookie_for(user)
        access.set_password(user.email, "another " + PASSWORD, actor="test")
        assert login.by_cookie(session, cookie) is None
        cookie = login.cookie_for(user)
        access.disable_user(user.email, actor="test")
        assert login.by_cookie(session, cookie) is None


def test_a_hash_that_cannot_be_read_matches_nothing() -> None:
    assert not password_matches("plain text", "plain text")
    assert not password_matches(None, "the password of nobody")
    assert password_matches(hash_password(PASSWORD), PASSWORD)


class TestLoginLimit:
    def test_it_opens_again_after_the_window(self) -> None:
        now = [datetime(2026, 1, 1, tzinfo=UTC)]
        limit = LoginLimit(lambda: now[0], attempts=3, window=timedelta(minutes=5))
        for _ in range(3):
            limit.check("ana", "1.1.1.1")
            limit.count_failure("ana", "1.1.1.1")
        with pytest.raises(TooManyAttempts, match="301 seconds"):
            limit.check("ana", "1.1.1.1")
        limit.check("bob", "1.1.1.1")
        limit.check("ana", "2.2.2.2")
        now[0] += timedelta(minutes=5)
        limit.check("ana", "1.1.1.1")

    def test_success_forgets_the_failures(self) -> None:
        limit = LoginLimit(lambda: datetime(2026, 1, 1, tzinfo=UTC), attempts=2)
        limit.count_failure("ana", "1.1.1.1")
        limit.forget_failures("ana", "1.1.1.1")
        limit.count_failure("ana", "1.1.1.1")
        limit.check("ana", "1.1.1.1")

    def test_one_address_cannot_try_everybody(self) -> None:
        limit = LoginLimit(lambda: datetime(2026, 1, 1, tzinfo=UTC), attempts=2)
        for number in range(20):
            limit.count_failure(f"user-{number}", "1.1.1.1")
        with pytest.raises(TooManyAttempts):
            limit.check("somebody else", "1.1.1.1")
