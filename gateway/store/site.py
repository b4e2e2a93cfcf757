"""Whose vault this is: rows of table `site`, written once by `gateway init` and compared at every start.

A row more, `rights`, is counted by the store's triggers (`gateway.store.memory.count_of_rights`).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from gateway.domain.errors import ConfigError
from gateway.store.tables import site
from gateway.store.transaction import Transaction

ENVIRONMENT = "environment"
DOMAIN = "domain"


def enter_site(tx: Transaction, environment: str, domain: str) -> bool:
    """Write whose vault this is; False when that is written already. Raises ConfigError when it is another's."""
    known = facts(tx.connection)
    if ENVIRONMENT in known:
        _compare(known, environment)
        return False
    tx.insert(site, name=ENVIRONMENT, value=environment)
    tx.insert(site, name=DOMAIN, value=domain)
    return True


def require_environment(connection: Connection, environment: str) -> None:
    """Raise ConfigError when this vault was made for another environment, or for none."""
    _compare(facts(connection), environment)


def facts(connection: Connection) -> Mapping[str, str]:
    """Return what is written of the site, by name."""
    return {row.name: row.value for row in connection.execute(select(site))}


def _compare(known: Mapping[str, str], environment: str) -> None:
    found = known.get(ENVIRONMENT)
    if found is None:
        raise ConfigError("The database does not say whose vault it is: gateway init writes that.")
    if found != environment:
        raise ConfigError(
            f'The vault was made for the environment "{found}", and site.environment is "{environment}". '
            "Name its own database and keys for each environment."
        )
