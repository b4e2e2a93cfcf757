"""The commented `gateway.toml` that `gateway init` writes: what must be said, and every default as a comment."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.config.relays import EXAMPLE
from gateway.config.screening import EXAMPLE as SCREENING
from gateway.domain.notice import PRODUCTION


@dataclass(frozen=True, slots=True)
class Site:
    """What a new site says of itself. Listeners are `host:port`; `relay` is empty or a host on this machine."""

    name: str = "Secure Messaging (trial)"
    domain: str = "secure.localhost"
    portal_url: str = "https://localhost:8443/"
    environment: str = "trial"
    programme: str = "cwa"
    starttls: str = "127.0.0.1:1587"
    tls: str = "127.0.0.1:1465"
    portal: str = "127.0.0.1:8443"
    relay: str = ""


def example(site: Site) -> str:
    """Return the text of a new configuration."""
    relay = f'relay = "{site.relay}"' if site.relay else '# relay = "relay.example.gov"'
    trial = site.environment != PRODUCTION
    allowed = "\n# Outside production nobody else is written to.\nallow_list = []" if trial else ""
    return _TEXT.format(
        name=_quoted(site.name),
        domain=_quoted(site.domain),
        portal_url=_quoted(site.portal_url),
        environment=_quoted(site.environment),
        programme=_quoted(site.programme),
        starttls=_quoted(site.starttls),
        tls=_quoted(site.tls),
        portal=_quoted(site.portal),
        relay=relay,
        relays=EXAMPLE,
        screening=SCREENING,
        allowed=allowed,
        bare_domain=site.domain,
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_TEXT = """\
# The gateway's configuration. A line that begins with # and a key shows that key's default; docs/configuration.md
# explains each. Relative paths begin at this file's folder. Secrets stand in files of their own, mode 0600.
# After a change: gateway config check, then start the gateway again.

[site]
name = {name}
# Cases have addresses in this domain.
domain = {domain}
portal_url = {portal_url}
# "production", or a word of your own: then every page and notice carries a banner, references begin with T-, and mail
# goes to notifier.allow_list only. A vault belongs to one environment for good.
environment = {environment}
# Domains of the employees' own addresses: these are never taken for the other side's.
# employee_domains = []
# data = "data"
# run = "run"

[programmes]
# Names of shipped programmes, or folders of your own, written with a slash: "./programmes/county".
use = [{programme}]

[store]
# SQLite by default. PostgreSQL: "postgresql+psycopg://role@host/database", its password in ~/.pgpass.
# url = "sqlite:///data/gateway.db"
# blobs = "data/blobs"
# This much of the disk stays free: mail is deferred before the disk is full.
# reserve = "64 MiB"
# readers = 4

[keys]
# folder = "keys"
# What opens the vault key. Keep a copy of it apart from every backup; systemd may hand it over instead, as the
# credential vault-passphrase (then leave this line out).
passphrase_file = "secrets/passphrase"

[security]
# Whose figures this site takes: "sp800-63b" or "pub1075"; docs/configuration.md has each with its source, and gateway
# config check says what is in force. The values here are those of "sp800-63b".
# profile = "sp800-63b"
# failures = 100
# free_failures = 3
# first_wait = "1 s"
# count_for = "1 h"
# inactive_after = "0 s"
# recertify_after = "0 s"
# recertify_privileged_after = "0 s"
# record_keep = "0 s"
# What people acknowledge before they sign in; empty: nothing.
# banner = ""
# app_passwords = true
# sealing = "standard"

# The last day on which a group of people signs in by a password; "firms" is a name of your choice.
# [security.sunsets.firms]
# for = ["correspondents"]
# programmes = []
# last_day = "2027-06-30"
# tell_before = ["60 d", "30 d", "7 d", "1 d"]

[keyholder]
# socket = "run/keyholder.sock"
# operator_socket = "run/keyholder-operator.sock"
# guard_socket = "run/keyholder-guard.sock"
# store_url = "sqlite:///data/keyholder/keyholder.db"
# Users of this machine who may administer, beside root and the user it runs as.
# operators = []
# session_per_minute = 60
# person_per_day = 1000

[authenticator]
# socket = "run/authenticator.sock"
# operator_socket = "run/authenticator-operator.sock"
# operators = []
# session_idle = "30 min"
# session_absolute = "12 h"
# second_factor = true

# An identity provider at which people may sign in; "login" is a name of your choice. Its secret is the private key
# of the client (PEM), or the client's secret; docs/configuration.md has what each profile means.
# [authenticator.providers.login]
# title = "Login.gov"
# profile = "login.gov"
# issuer = "https://secure.login.gov/"
# client_id = "urn:gov:gsa:openidconnect.profiles:sp:sso:agency:gateway"
# client_authentication = "private_key_jwt"
# secret = "secrets/login-gov.pem"
# least = "ial2 aal2"
# for = ["correspondents"]
# scopes = []
# acr_values = []
# hosts = []
# ca_file = ""

# Access tokens that employees' mail tools sign in with, from a provider for employees.
# [authenticator.providers.login.mail]
# audience = "https://secure.agency.example/mail"
# scope = "mail.submit"
# check = "keys"

[authenticator.codes]
# A web service that sends codes by text message or telephone call, and the file of its token. Without one a trial
# shows codes in its log, and a site in production sends none.
# webhook = ""
# token = ""
# ca_file = ""

[submission]
# Where employees' mail tools hand in mail: STARTTLS (587) and TLS from the first octet (465).
starttls = [{starttls}]
tls = [{tls}]
# A socket for the mail system of this machine, and the users that may write to it.
# lmtp = ""
# lmtp_users = []
# hostname = "{bare_domain}"
# Processes that share these doors; 0 follows the cores of the machine, up to four.
# processes = 0
# certificate = "tls/certificate.pem"
# key = "tls/key.pem"
# max_message = "150 MiB"
# Proxies in front of these doors, which begin with the PROXY protocol; and peers that may say XCLIENT and XFORWARD.
# proxies = []
# xclient = []
# Whether a message in a team's name is refused where it does not say who of the team wrote it.
# names_required = false
# Minutes for which an employee's message waits, sealed and confirmed, before the other side may see it: withdrawn in
# that time it leaves no trace for them. An employee may choose fewer. 0: none waits.
# release_delay_minutes = 0
# Days for which a relay's message that fits several cases waits, sealed, for its author to choose. 0: it is refused.
# draft_days = 14

# Client certificates (PIV cards) that mail tools sign in with: which name in them counts ("upn", "email", "fasc-n").
# [submission.certificates]
# client_ca = "tls/people.pem"
# identity = "upn"
# crl = "tls/people.crl"
# ocsp = "http://ocsp.agency.example/"

[submission.limits]
# connections = 1000
# connections_per_address = 50
# in_flight = "4096 MiB"
# recipients = 100
# soft_errors = 10
# hard_errors = 20
# auth_failures = 5
# command_time = "300 s"
# stress_command_time = "10 s"
# chunk_time = "180 s"
# minimum_rate = 500

{relays}
# The public door, for mail from anybody outside: without this table port 25 stays shut. Every mail is screened while
# its sender waits. The position must be said: "first-hop", "before-queue" (with xforward), or "behind-relay" (with
# what becomes of tainted mail: "refuse", or "discard-and-tell" with operators); docs/operations.md has what each means.
# [mx]
# position = "first-hop"
# tainted = "refuse"
# operators = []
# Clean mail that people wrote: "refuse" tells them the portal's address, "tray" takes it, for somebody to read daily.
# clean = "refuse"
# listen = ["0.0.0.0:25"]
# hostname = "{bare_domain}"
# certificate = "tls/certificate.pem"
# key = "tls/key.pem"
# max_message = "25 MiB"
# xforward = []
# authserv_ids = []
# nameservers = []
# The portal serves an MTA-STS policy for the domain's mail hosts: "off", "testing" or "enforce".
# mta_sts = "off"
# mta_sts_hosts = ["{bare_domain}"]

# [mx.limits]
# connections = 1000
# connections_per_address = 50
# in_flight = "256 MiB"
# recipients = 100
# soft_errors = 10
# hard_errors = 20
# auth_failures = 5
# command_time = "300 s"
# stress_command_time = "10 s"
# chunk_time = "180 s"
# minimum_rate = 500

# The wrong client guard: an employee's message is looked at before it is released, and where a number in it belongs to
# another of its author's cases, it waits for their yes. Without this table messages go at once.
# [guard]
# largest = "50 MiB"
# overdue_after = "1 h"
# children = 0

# The fax line: mailboxes that fax servers fill, and fax servers that bring their mail by SMTP. Each source has a table
# of its own; without this table the program fax does not run.
# [fax]
# hostname = "{bare_domain}"
# certificate = "tls/certificate.pem"
# key = "tls/key.pem"
# max_message = "50 MiB"
# overdue_after = "3 d"
# metrics = "127.0.0.1:9110"

# [fax.mailboxes.intake]
# host = "imap.example.gov"
# port = 993
# ca_file = ""
# The user, and the password or the token, a line each.
# credentials_file = "fax-intake.secret"
# auth = "password"
# mailbox = "INBOX"
# filed = "Filed"
# done = "Done"
# profile = ""
# time_zone = ""
# idle = "9 min"
# poll = "30 s"
# deadline = "60 s"
# silent_after = "1 d"

# [fax.servers.router]
# listen = ["10.0.0.1:25"]
# networks = ["10.0.0.9"]
# client_ca = ""
# client_names = []
# profile = ""
# time_zone = ""
# silent_after = "1 d"
# reports_to = ["@fax.example.gov"]

# How a system writes that is not known: gateway intake try FILE shows what is read, by which rule.
# [fax.profiles.acme]
# when = ["subject: ^Acme fax"]
# calling = ["subject: from ([0-9+]+)"]
# called = []
# station = []
# pages = ["body: ^Pages: *([0-9]+)"]
# received = []
# job = []
# errors = []
# failed = []

# [fax.limits]
# connections = 1000
# connections_per_address = 50
# in_flight = "256 MiB"
# recipients = 100
# soft_errors = 10
# hard_errors = 20
# auth_failures = 5
# command_time = "300 s"
# stress_command_time = "10 s"
# chunk_time = "180 s"
# minimum_rate = 500

[notifier]
# The host that takes outgoing mail. Without one, notifications wait in the queue.
{relay}
# tls = "starttls"
# port = 587
# ca_file = ""
# A user name and a password, a line each.
# credentials_file = ""
# hostname = "{bare_domain}"
# sender = "secure-messaging@{bare_domain}"{allowed}
# first_retry = "30 s"
# longest_retry = "1 h"
# give_up = "24 h"

# Of a notice that waits for so long the employees are told at once, while it is still tried.
# late_after = "4 h"
# No notice waits longer for others that it is told with, whatever a programme sets.
# merge_at_most = "1 h"
# connections = 4
# A folder of your own wording: a file in it takes the place of the shipped one in templates/notifications.
# templates = ""

# In place of a relay: directly to the hosts of each domain, by its MX records, with the TLS that it asks for.
# [notifier.direct]
# port = 25
# policy_port = 443
# A validating resolver on this machine, and dnssec = true: then DANE is kept to.
# nameservers = []
# dnssec = false
# ca_file = ""
# Domains that get mail by verified TLS alone, by DANE alone, and (in private_networks only) without any.
# verified = []
# dane = []
# plain = []
# private_networks = []
# A day's report to each domain that asks for one, of how TLS with it went (RFC 8460).
# tls_reports = true

[notifier.dkim]
# The keys that sign are made and changed by commands: gateway dkim new
# domain = "{bare_domain}"
# folder = "keys/dkim"
# How long a retired key stays in DNS.
# keep = "14 d"

# Sign notifications by S/MIME too: the sender's certificate, those that vouch for it below, and its key.
# [notifier.smime]
# certificate = "tls/notifications.pem"
# key = "keys/notifications.pem"

[portal]
listen = [{portal}]
# certificate = "tls/certificate.pem"
# key = "tls/key.pem"
# max_upload = "150 MiB"
# Whose signatures on mail are believed: certificates in one PEM file, and a folder of gpg with public keys.
# smime_anchors = ""
# openpgp_home = ""
# claim_minutes = 15

[full_copies]
# Programmes whose employees may choose to have replies whole in their own mailbox, encrypted to their own key. Each
# such copy leaves this gateway for good. Read docs/operations.md first; gateway config check says what it means.
# programmes = []
# Text and files of a reply together; of a longer one employees get the link only.
# max_size = "10 MiB"
# The gateway's own OpenPGP key, which signs them: gateway openpgp make
# openpgp_key = "keys/openpgp/key.pem"

# Employees' S/MIME certificates: who vouches for them, and where revocation is looked up (one or both).
# [full_copies.smime]
# authorities = "tls/mail-authorities.pem"
# crl = ""
# ocsp = "http://ocsp.example.gov/"

{screening}
[tls]
# certificate = "tls/certificate.pem"
# key = "tls/key.pem"

[log]
# level = "info"
# "auto" is for people on a terminal and JSON elsewhere.
# format = "auto"
"""
