"""`gateway postfix plan`: what makes a Postfix bring employees' mail to this gateway, as a script for its machine."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.asking import settings_of
from gateway.cli.mail_plans import Shown, relay_of, require_plain, shown_certificate
from gateway.cli.options import DEFAULT_CONFIG, ConfigPath
from gateway.cli.output import say
from gateway.config import Listen, Settings, TrustedRelaySettings
from gateway.domain.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="What the site's Postfix needs for this gateway.")

ENROLLED = "gateway_enrolled"
"""The access map of enrolled addresses, beside main.cf."""
BLOCKED = "gateway_blocked"
"""What an enrolled address is mapped to: a class of restrictions."""


@app.callback()
def postfix() -> None:
    """What the site's Postfix needs for this gateway."""


@app.command()
def plan(
    relay: Annotated[
        str, typer.Option(help="The table [relay.NAME] that Postfix is; the only one when left out.")
    ] = "",
    folder: Annotated[Path, typer.Option(help="Postfix's folder of configuration, on its machine.")] = Path(
        "/etc/postfix"
    ),
    host: Annotated[
        str, typer.Option(help="Where Postfix reaches the relay's listener, if not where it listens.")
    ] = "",
    gateway_address: Annotated[
        list[str] | None, typer.Option(help="Notifications come to Postfix from this address. Repeatable.")
    ] = None,
    authorities: Annotated[
        Path, typer.Option(help="Who vouches for the gateway's certificate, as a file on Postfix's machine.")
    ] = Path("/etc/ssl/certs/ca-certificates.crt"),
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Print a script that sets a Postfix up for this very configuration. Read it, then run it there as root."""
    settings = settings_of(config)
    say(
        postfix_plan(
            settings, relay_of(settings, relay, online=False), folder, host, gateway_address or [], authorities
        )
    )


def postfix_plan(
    settings: Settings, relay: TrustedRelaySettings, folder: Path, host: str, hosts: list[str], authorities: Path
) -> str:
    """Return the script. Raises ConfigError where it lacks an address that only the operator knows, or what was given
    would not stand in it as one word.
    """
    require_plain(folder=folder, host=host, authorities=authorities, gateway_address="".join(hosts))
    place = (*relay.starttls, *relay.tls)[0]
    shown = shown_certificate(settings)
    own = hosts or _addresses(place, host)
    if not own:
        raise ConfigError("Say from where notifications reach Postfix: --gateway-address ADDRESS")
    named = host or place.host
    if ip_address_or_none(named) is not None and ip_address(named).is_unspecified:
        named = settings.submission.hostname
    return _PLAN.format(
        name=relay.name,
        file=settings.file,
        domain=settings.site.domain,
        portal=settings.site.portal_url,
        at=folder,
        nexthop=f"[{named}]:{place.port}",
        wrapped="no" if relay.starttls else "yes",
        match=shown.name,
        authorities=_authorities(shown, authorities),
        hosts="\n".join(f"{one}  OK" for one in own),
        enrolled=ENROLLED,
        blocked=BLOCKED,
    )


def access_map(addresses: list[str]) -> str:
    """Return the lines of Postfix's access map for enrolled addresses (access(5), texthash)."""
    return "".join(f"{address}  {BLOCKED}\n" for address in sorted(set(addresses)))


def ip_address_or_none(text: str) -> object | None:
    """Return an address, None for what is a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _addresses(place: Listen, host: str) -> list[str]:
    """Return the gateway's address as far as the configuration knows one."""
    known = [one for one in (host, place.host) if ip_address_or_none(one) and not ip_address(one).is_unspecified]
    return known[:1]


def _authorities(shown: Shown, authorities: Path) -> str:
    """Return how Postfix comes to know the gateway's certificate: signed by itself it is handed over, and vouches."""
    if not shown.pem:
        return f"authorities={authorities}"
    return f"authorities=$at/gateway_certificate.pem\ncat > \"$authorities\" <<'END'\n{shown.pem}END"


_PLAN = """\
#!/bin/sh
# What makes this Postfix bring mail of employees to {domain}, and keeps plain mail from enrolled addresses.
# Printed by "gateway postfix plan" for [relay.{name}] of {file}.
# Read it, run it as root, then: postfix reload. It adds what is missing, so it may be run again.
set -eu
at={at}
have() {{ postconf -c "$at" -h "$1"; }}
first() {{  # SETTING VALUE: put VALUE before what the setting has, once
    now=$(have "$1")
    case " $now " in
        *"$2"*) ;;
        *) postconf -c "$at" -e "$1 = $2${{now:+, $now}}" ;;
    esac
}}

# 1. Who writes as an employee has signed in as that employee: the gateway believes it, authenticates_senders = true.
if [ -z "$(have smtpd_sender_login_maps)" ]; then
    echo "Set smtpd_sender_login_maps first: which login may write from which address." >&2
    exit 1
fi
first smtpd_sender_restrictions reject_sender_login_mismatch

# 2. The certificate by which the gateway knows this host: relay.{name}.client_ca there has a copy of it.
if [ ! -f "$at/gateway.pem" ] || [ ! -f "$at/gateway.key" ]; then
    echo "Make a client certificate first, and give the gateway a copy of gateway.pem:" >&2
    echo "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=mta" \\
        "-keyout $at/gateway.key -out $at/gateway.pem" >&2
    exit 1
fi

# 3. The way there: over TLS to a host that proves its name, or not at all; and no other way.
{authorities}
postconf -c "$at" -M "gateway/unix=gateway unix - - n - - smtp"
for one in \\
    smtp_tls_security_level=secure \\
    smtp_tls_wrappermode={wrapped} \\
    smtp_tls_secure_cert_match={match} \\
    "smtp_tls_CAfile=$authorities" \\
    "smtp_tls_cert_file=$at/gateway.pem" \\
    "smtp_tls_key_file=$at/gateway.key" \\
    smtp_fallback_relay= \\
    disable_mime_output_conversion=yes \\
    smtp_send_xforward_command=no
do
    postconf -c "$at" -P "gateway/unix/$one"
done
echo "{domain}  gateway:{nexthop}" > "$at/gateway_transport"
first transport_maps "texthash:$at/gateway_transport"

# 4. Who may write there: nobody from outside, and nobody who has not signed in.
echo "{domain}  gateway_signed_in" > "$at/gateway_domain"
postconf -c "$at" -e "gateway_signed_in = permit_sasl_authenticated, permit_mynetworks, reject"
first smtpd_restriction_classes gateway_signed_in
first smtpd_recipient_restrictions "check_recipient_access texthash:$at/gateway_domain"

# 5. No plain mail to enrolled addresses, but for the gateway's own notifications. Fill the map, after each change anew:
#    gateway designated-user list --routing > {at}/{enrolled}; postfix reload
touch "$at/{enrolled}"
cat > "$at/gateway_hosts" <<'END'
{hosts}
END
cat > "$at/gateway_refusal" <<'END'
/./  550 5.7.1 Plain mail to this address is blocked. Write to the address of the case, REFERENCE@{domain}
END
hosts="check_client_access cidr:$at/gateway_hosts"
postconf -c "$at" -e "{blocked} = $hosts, check_recipient_access regexp:$at/gateway_refusal"
first smtpd_restriction_classes {blocked}
first smtpd_recipient_restrictions "check_recipient_access texthash:$at/{enrolled}"

# 6. What must leave mail to {domain} as it is: no disclaimers, no encryption, no TNEF, no links written anew, and
#    links to {portal} in mail from there left alone, too.
for one in content_filter smtpd_milters non_smtpd_milters always_bcc sender_bcc_maps recipient_bcc_maps; do
    if [ -n "$(have $one)" ]; then
        echo "Look at $one: what it does must leave mail to and from {domain} alone, and keep no copy of it." >&2
    fi
done
postconf -c "$at" -n > /dev/null
"""
