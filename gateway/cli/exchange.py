"""`gateway exchange plan`: what makes Exchange bring employees' mail to this gateway, as commands for its shell."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import typer

from gateway.cli.asking import settings_of
from gateway.cli.mail_plans import relay_of, require_plain, shown_certificate
from gateway.cli.options import DEFAULT_CONFIG, ConfigPath
from gateway.cli.output import say
from gateway.config import Settings, TrustedRelaySettings
from gateway.inbound.organisation import PROOF

app = typer.Typer(no_args_is_help=True, help="What the site's Exchange needs for this gateway.")

SMTP_PORT = 25


@app.callback()
def exchange() -> None:
    """What the site's Exchange needs for this gateway."""


@app.command()
def plan(
    relay: Annotated[
        str, typer.Option(help="The table [relay.NAME] that Exchange is; the only one when left out.")
    ] = "",
    host: Annotated[str, typer.Option(help="The name under which Exchange reaches the relay's listener.")] = "",
    gateway_address: Annotated[
        list[str] | None, typer.Option(help="Notifications come to Exchange from this address. Repeatable.")
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Print commands of Exchange's shell for this very configuration: connector, rules, what to switch off."""
    settings = settings_of(config)
    say(exchange_plan(settings, relay_of(settings, relay, online=None), host, gateway_address or []))


def exchange_plan(settings: Settings, relay: TrustedRelaySettings, host: str, hosts: list[str]) -> str:
    """Return the plan for Exchange Online, or for Exchange of the site's own where the relay is `own-mta`.

    Raises ConfigError where what was given would not stand in it as one word.
    """
    require_plain(host=host, gateway_address="".join(hosts))
    shown = shown_certificate(settings)
    place = (*relay.starttls, *relay.tls)[0]
    facts = {
        "name": relay.name,
        "file": settings.file,
        "domain": settings.site.domain,
        "portal": urlsplit(settings.site.portal_url).hostname,
        "host": host or shown.name,
        "match": shown.name,
        "port": place.port,
        "ours": ", ".join(f"'{one}'" for one in settings.site.employee_domains) or "'agency.example.gov'",
        "except_hosts": f" -ExceptIfSenderIpRanges {', '.join(hosts)}" if hosts else "",
    }
    parts = [_HEAD, _ONLINE if relay.organisation is not None else _OWN]
    if relay.organisation is not None:
        if place.port != SMTP_PORT or not relay.starttls:
            parts.append(_PORT)
        parts.append(_SIGNING if relay.organisation.secret_file is None else _HEADER.replace("PROOF", PROOF))
    return "".join([*parts, _REST]).format(**facts)


_HEAD = """\
# What makes Exchange bring mail of employees to {domain}, and keeps plain mail from enrolled addresses.
# Printed by "gateway exchange plan" for [relay.{name}] of {file}. Read it, then run it in Exchange's shell.

# 1. The way there: over TLS to a host that proves its name, or not at all.
"""
_ONLINE = """\
New-OutboundConnector -Name 'Secure gateway' -ConnectorType Partner -RecipientDomains '{domain}' `
  -UseMXRecord $false -SmartHosts '{host}' -TlsSettings DomainValidation -TlsDomain '{match}' `
  -RouteAllMessagesViaOnPremises $false -Enabled $true
"""
_OWN = """\
New-SendConnector -Name 'Secure gateway' -Custom -AddressSpaces 'SMTP:{domain};1' -DNSRoutingEnabled $false `
  -SmartHosts '{host}' -SmartHostAuthMechanism None -Port {port} `
  -RequireTLS $true -TlsAuthLevel DomainValidation -TlsDomain '{match}'
# The client certificate by which the gateway knows these hosts: relay.{name}.client_ca there has a copy of it.
#   Set-SendConnector 'Secure gateway' -TlsCertificateName '<I>ISSUER<S>SUBJECT'
"""
_PORT = """\
# Exchange Online speaks to port 25 with STARTTLS alone: lead port 25 of {host} to the relay's listener (starttls).
"""
_SIGNING = """\

# 2. What proves the organisation: DKIM for each domain that employees write from.
foreach ($own in {ours}) {{ Set-DkimSigningConfig -Identity $own -Enabled $true }}
"""
_HEADER = """\

# 2. What proves the organisation: a header for mail to the gateway alone. The secret is asked for, not shown here.
New-TransportRule -Name 'Secure gateway: proof' -RecipientDomainIs '{domain}' `
  -SetHeaderName 'PROOF' -SetHeaderValue (Read-Host 'A line of relay.{name}.secret_file')
"""
_REST = """
# 3. No plain mail to enrolled addresses. They stand in enrolled.csv, made anew after each change by
#      gateway designated-user list --routing --csv > enrolled.csv
#    Run this part again with each new file; contacts no more in it are removed.
$enrolled = @(Import-Csv enrolled.csv)
if (-not (Get-DistributionGroup 'gateway-enrolled' -ErrorAction SilentlyContinue)) {{
  New-DistributionGroup -Name 'gateway-enrolled' -Type Security
  Set-DistributionGroup 'gateway-enrolled' -HiddenFromAddressListsEnabled $true
}}
foreach ($one in $enrolled) {{
  if (-not (Get-MailContact $one.Address -ErrorAction SilentlyContinue)) {{
    New-MailContact -Name $one.Name -ExternalEmailAddress $one.Address
    Set-MailContact $one.Address -HiddenFromAddressListsEnabled $true
  }}
  Add-DistributionGroupMember 'gateway-enrolled' -Member $one.Address -ErrorAction SilentlyContinue
}}
Get-DistributionGroupMember 'gateway-enrolled' -ResultSize Unlimited |
  Where-Object {{ $enrolled.Address -notcontains $_.PrimarySmtpAddress }} |
  ForEach-Object {{ Remove-MailContact $_.Identity -Confirm:$false }}
if (-not (Get-TransportRule 'Secure gateway: enrolled' -ErrorAction SilentlyContinue)) {{
  New-TransportRule -Name 'Secure gateway: enrolled' -SentToMemberOf 'gateway-enrolled'{except_hosts} `
    -RejectMessageEnhancedStatusCode '5.7.1' `
    -RejectMessageReasonText 'Plain mail to this address is blocked. Write to the address of the case at {domain}.'
}}

# 4. What must leave mail to {domain} as it is: TNEF, answers and forwards by rules, disclaimers, encryption.
New-RemoteDomain -Name 'Secure gateway' -DomainName '{domain}'
Set-RemoteDomain 'Secure gateway' -TNEFEnabled $false -ContentType MimeHtmlText -AutoForwardEnabled $false `
  -AutoReplyEnabled $false -AllowedOOFType None -MeetingForwardNotificationEnabled $false -NDREnabled $true
Get-TransportRule | Where-Object {{
  $_.ApplyHtmlDisclaimerText -or $_.ApplyRightsProtectionTemplate -or $_.ApplyOME -or $_.PrependSubject
}} | ForEach-Object {{
  Set-TransportRule $_.Identity -ExceptIfRecipientDomainIs (@($_.ExceptIfRecipientDomainIs) + '{domain}')
}}

# 5. Links to {portal} in mail from the gateway, left as they are (Defender for Office 365).
Get-SafeLinksPolicy | ForEach-Object {{
  Set-SafeLinksPolicy $_.Identity -DoNotRewriteUrls (@($_.DoNotRewriteUrls) + '{portal}/*')
}}

# 6. Then send one through: gateway doctor mail --from ADDRESS
"""
