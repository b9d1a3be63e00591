"""``assay users``, ``assay keys``: who may come in."""

import getpass
import os
import secrets
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backend.cli.language import t
from backend.core.security import KEY_ROLES, USER_ROLES

users_app = typer.Typer(help="Users of the pages.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys for programs.", no_args_is_help=True)

EmailArgument = Annotated[str, typer.Argument(help="e-mail address")]
UserRoleOption = Annotated[str, typer.Option("--role", help=", ".join(USER_ROLES))]
KeyRoleOption = Annotated[str, typer.Option("--role", help=", ".join(KEY_ROLES))]
GenerateOption = Annotated[bool, typer.Option(help="make a password and print it")]

GENERATED_BYTES = 15
"""120 random bits, 20 characters."""


@users_app.command("create")
def create_user(
    email: EmailArgument, role: UserRoleOption = "viewer", generate: GenerateOption = False
) -> None:
    """Create a user; asks for the password, or reads ASSAY_PASSWORD, or makes one."""
    from backend.access.service import AccessService
    from backend.bootstrap import open_services

    password = _password(generate)
    services = open_services()
    with services.database.transaction() as session:
        user = AccessService(session, services.clock).create_user(
            email, role, password, actor=_actor()
        )
    typer.echo(t("{email} may log in as {role}.", email=user.email, role=user.role))
    if generate:
        typer.echo(t("Password (shown once): {password}", password=password))


@users_app.command("list")
def list_users() -> None:
    """List the users."""
    from backend.access.service import AccessService
    from backend.bootstrap import open_services

    services = open_services()
    with services.database.reading() as session:
        users = AccessService(session, services.clock).users()
    table = Table(t("e-mail address"), t("role"), t("state"), t("created"))
    for user in users:
        state = "disabled" if user.is_disabled else "active"
        table.add_row(user.email, user.role, state, f"{user.created_at:%Y-%m-%d %H:%M}")
    if not users:
        typer.echo(t("No users yet. Create one: assay users create EMAIL --role admin"))
        return
    Console().print(table)


@users_app.command("disable")
def disable_user(email: EmailArgument) -> None:
    """The user can no longer log in; open logins end at once."""
    from backend.access.service import AccessService
    from backend.bootstrap import open_services

    services = open_services()
    with services.database.transaction() as session:
        user = AccessService(session, services.clock).disable_user(email, actor=_actor())
    typer.echo(t("{email} is disabled.", email=user.email))


@users_app.command("enable")
def enable_user(email: EmailArgument) -> None:
    """The user may log in again, with the password they had."""
    from backend.access.service import AccessService
    from backend.bootstrap import open_services

    services = open_services()
    with services.database.transaction() as session:
        user = AccessService(session, services.clock).enable_user(email, actor=_actor())
    typer.echo(t("{email} may log in again.", email=user.email))


@users_app.command("set-role")
def set_role(
    email: EmailArgument, role: Annotated[str, typer.Argument(help=", ".join(USER_ROLES))]
) -> None:
    """Give the user another role, from their next request on."""
    from backend.access.service import AccessService
    from backend.bootstrap import open_services

    services = open_services()
    with services.database.transaction() as session:
        user = AccessService(session, services.clock).set_role(email, role, actor=_actor())
    typer.echo(t("{email} is {role}.", email=user.email, role=user.role))


@users_app.command("log-out")
def log_out_user(email: EmailArgument) -> None:
    """End every open login of the user, in every browser."""
    from backend.access.service import AccessService
    from backend.bootstrap import open_services

    services = open_services()
    with services.database.transaction() as session:
        user = AccessService(session, services.clock).end_logins(email, actor=_actor())
    typer.echo(t("Every login of {email} has ended.", email=user.email))


@users_app.command("set-password")
def set_password(email: EmailArgument, generate: GenerateOption = False) -> None:
    """Set a password (and enable the user); open logins end at once."""
    from backend.access.service import AccessService
    from backend.bootstrap import open_services

    password = _password(generate)
    services = open_services()
    with services.database.transaction() as session:
        user = AccessService(session, services.clock).set_password(email, password, actor=_actor())
    typer.echo(t("{email} has a new password.", email=user.email))
    if generate:
        typer.echo(t("Password (shown once): {password}", password=password))


@keys_app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="what it is for")], role: KeyRoleOption = "viewer"
) -> None:
    """Create an API key and print it, once."""
    from backend.access.service import AccessService
    from backend.bootstrap import open_services

    services = open_services()
    with services.database.transaction() as session:
        key = AccessService(session, services.clock).create_key(name, role, actor=_actor())
    typer.echo(
        t("Key '{key}' with role {role}, shown once:", key=key.name, role=key.role), err=True
    )
    typer.echo(key.key)


@keys_app.command("list")
def list_keys() -> None:
    """List the API keys by their first characters."""
    from backend.access.service import AccessService
    from backend.bootstrap import open_services

    services = open_services()
    with services.database.reading() as session:
        keys = AccessService(session, services.clock).keys()
    table = Table(t("starts with"), t("name"), t("role"), t("created"), t("revoked"))
    for key in keys:
        revoked = f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
        table.add_row(key.prefix, key.name, key.role, f"{key.created_at:%Y-%m-%d %H:%M}", revoked)
    if not keys:
        typer.echo(t("No API keys yet. Create one: assay keys create NAME --role engineer"))
        return
    Console().print(table)


@keys_app.command("revoke")
def revoke_key(
    prefix: Annotated[str, typer.Argument(help="its first 12 characters, as listed")],
) -> None:
    """The key opens nothing from now on."""
    from backend.access.service import AccessService
    from backend.bootstrap import open_services

    services = open_services()
    with services.database.transaction() as session:
        key = AccessService(session, services.clock).revoke_key(prefix, actor=_actor())
    typer.echo(t("Key '{key}' ({prefix}…) is revoked.", key=key.name, prefix=key.prefix))


def _password(generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(GENERATED_BYTES)
    if given := os.environ.get("ASSAY_PASSWORD"):
        return given
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _actor() -> str:
    return f"cli:{getpass.getuser()}"
