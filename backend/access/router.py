"""Who am I; users and API keys, for administrators."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from backend.access.schemas import (
    ApiKeyPublic,
    KeyCreate,
    NewApiKey,
    UserChange,
    UserCreate,
    UserPublic,
)
from backend.access.service import AccessService
from backend.core.dependencies import Admin, AnyRole, ServicesDep, SessionDep, require
from backend.core.security import Role

router = APIRouter(prefix="/api/v1/access", tags=["access"])


class WhoAmI(BaseModel):
    """The principal of this request."""

    name: str = Field(examples=["ana@example.org"])
    role: Role


@router.get("/me")
def who_am_i(principal: AnyRole) -> WhoAmI:
    """Name and role that this request's credentials stand for."""
    return WhoAmI(name=principal.name, role=principal.role)


@router.get("/users", dependencies=[Depends(require("admin"))])
def users(session: SessionDep, services: ServicesDep) -> list[UserPublic]:
    """All users of the pages."""
    return AccessService(session, services.clock).users()


@router.post("/users", status_code=201)
def create_user(
    request: UserCreate, session: SessionDep, services: ServicesDep, principal: Admin
) -> UserPublic:
    """A new user, who may log in to the pages with the password."""
    return AccessService(session, services.clock).create_user(
        request.email, request.role, request.password, actor=principal.name
    )


@router.patch("/users/{user_id}")
def change_user(
    user_id: int,
    change: UserChange,
    session: SessionDep,
    services: ServicesDep,
    principal: Admin,
) -> UserPublic:
    """Another role, or disabled (which ends every login) or enabled."""
    access = AccessService(session, services.clock)
    email = access.user_by_id(user_id).email
    if change.role is not None:
        access.set_role(email, change.role, actor=principal.name)
    if change.is_disabled is not None:
        set_state = access.disable_user if change.is_disabled else access.enable_user
        set_state(email, actor=principal.name)
    return access.user_by_id(user_id)


@router.get("/keys", dependencies=[Depends(require("admin"))])
def keys(session: SessionDep, services: ServicesDep) -> list[ApiKeyPublic]:
    """All API keys, without the keys themselves."""
    return AccessService(session, services.clock).keys()


@router.post("/keys", status_code=201)
def create_key(
    request: KeyCreate, session: SessionDep, services: ServicesDep, principal: Admin
) -> NewApiKey:
    """A new API key; the answer is the only place where the key itself is ever shown."""
    service = AccessService(session, services.clock)
    return service.create_key(request.name, request.role, actor=principal.name)


@router.delete("/keys/{prefix}")
def revoke_key(
    prefix: str, session: SessionDep, services: ServicesDep, principal: Admin
) -> ApiKeyPublic:
    """The key whose first 12 characters are ``prefix`` opens nothing from now on."""
    return AccessService(session, services.clock).revoke_key(prefix, actor=principal.name)
