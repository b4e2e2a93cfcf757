"""The log's vocabulary: one typed function for each event, and no other way in.

What it does: writes one line (console or JSON) an event to the stream that `configure` was given. What it trusts:
nobody. Its functions take ids, counts, kinds and codes; behind them a text with a character that such words do not have
is written as `(withheld)`, so that an address, a subject or a line of a message has no way in by mistake. Exceptions
give their types and `file:line function`, never their text or their variables. Records of libraries give the logger's
name and the place in the code, never their words. How it fails: an event that cannot be written is lost; no caller is
ever stopped by its log.

To add an event: a function named by a past participle or a noun (`deposited`, `alarm`), typed, with ids, counts, kinds
and codes as parameters and no `**fields`; its body is one `_say(level, "words of the event", ...)`; and a line in
`tests/unit/test_maillog.py`.
"""

from __future__ import annotations

from gateway.maillog.writing import configure as configure
from gateway.maillog.writing import incident as incident
from gateway.maillog.writing import say as _say

# ---- programs and connections


def program_started(environment: str, processes: int = 1) -> None:
    """A program is ready for its peers; `environment` is the site's."""
    _say("info", "program started", environment=environment, processes=processes)


def program_stopped(reason: str) -> None:
    """A program has drained and ends; `reason` is a kind: signal, supervisor, fault."""
    _say("info", "program stopped", reason=reason)


def program_died(name: str, code: int, restarts: int) -> None:
    """A program has ended unasked, with this exit code or minus a signal's number; it is started again."""
    _say("error", "program died", name=name, code=code, restarts=restarts)


def listener_open(name: str, host: str, port: int) -> None:
    """A listener of ours takes connections; `host` is our own address."""
    _say("info", "listener open", listener=name, host=host, port=port)


def certificate_renewed(program: str) -> None:
    """A door shows the certificate that its files hold now."""
    _say("info", "certificate renewed", program=program)


def certificate_kept(program: str) -> None:
    """A door was told to renew its certificate, and the files do not fit: it shows the one it had."""
    _say("error", "certificate kept", program=program)


def relay_refused(relay: str, step: str) -> None:
    """A host did not prove to be this trusted relay; `step` is what was missing: network, certificate."""
    _say("warning", "relay refused", relay=relay, step=step)


def client_certificate_refused(code: int) -> None:
    """A client certificate is not good; `code` is OpenSSL's X509_V_ERR: 10 expired, 18 to 21 nobody listed vouches."""
    _say("warning", "client certificate refused", code=code)


def peer_connected(listener: str, connection: str) -> None:
    """A peer has come; `connection` is our number for it, never its address."""
    _say("debug", "peer connected", listener=listener, connection=connection)


def peer_gone(listener: str, connection: str, reason: str) -> None:
    """A peer has left, or was made to; `reason` is a kind: quit, lost, deadline, limit, shutdown."""
    _say("debug", "peer gone", listener=listener, connection=connection, reason=reason)


def reply_sent(code: int, enhanced: str) -> None:
    """A peer got this reply."""
    _say("debug", "reply sent", code=code, enhanced=enhanced)


def parcels_made(made: int, without: int) -> None:
    """So many full copies of a reply were encrypted, and so many employees who chose one get the link only."""
    _say("info", "parcels made", made=made, without=without)


def parcel_withheld(outbox_id: str, reason: str) -> None:
    """A full copy was destroyed before it was sent, and its notice goes with the link only; `reason` is a kind."""
    _say("warning", "parcel withheld", outbox=outbox_id, reason=reason)


def swept(blobs: int) -> None:
    """So many blobs that no row names were deleted."""
    _say("info", "swept", blobs=blobs)


# ---- messages and people


def deposited(reference: str, octets: int, upstream: str = "") -> None:
    """A message is durably in the vault; `upstream` is what a listed peer called it by XFORWARD."""
    told = {"upstream": upstream} if upstream else {}
    _say("info", "deposited", reference=reference, octets=octets, **told)


def ended(kind: str, relay: str, recipients: int) -> None:
    """Automatic mail from a relay was entered, and not kept; `kind` as in the entry."""
    _say("info", "ended", kind=kind, relay=relay, recipients=recipients)


def guard_looked(outcome: str) -> None:
    """The wrong client guard has looked at a message; `outcome` is what it came to."""
    _say("info", "guard looked", outcome=outcome)


def guard_failed(reason: str) -> None:
    """The guard could not look at a message and tries again; `reason` is a kind of error."""
    _say("warning", "guard failed", reason=reason)


def withdrawn_by_answer(state: str) -> None:
    """An employee answered a notice to withdraw or release; `state` is the notice state of what became of it."""
    _say("info", "withdrawal answered", state=state)


def taken_in(reference: str, octets: int, tray: str, upstream: str = "") -> None:
    """Clean mail from outside is durably in this intake tray; `upstream` as above."""
    told = {"upstream": upstream} if upstream else {}
    _say("info", "taken in", reference=reference, octets=octets, tray=tray, **told)


def intake_key_missing(month: str) -> None:
    """Mail from outside was put off, as the keyholder has made no key for this month."""
    _say("error", "intake key missing", month=month)


def intake_keys_destroyed(keys: int) -> None:
    """So many keys of past months, to which nothing is sealed any more, are gone for good."""
    _say("info", "intake keys destroyed", keys=keys)


def turned_away(reference: str, verdict: str, findings: int, upstream: str = "") -> None:
    """Mail from outside was refused for what it holds, or as nobody could look inside; `upstream` as above."""
    told = {"upstream": upstream} if upstream else {}
    _say("info", "turned away", reference=reference, verdict=verdict, findings=findings, **told)


def earlier_hop(mails: int) -> None:
    """So many mails in a row look as if a host of the site's own had them before: then the position is wrong."""
    _say("warning", "earlier hop", mails=mails)


def let_through(findings: int, upstream: str = "") -> None:
    """Mail with so many findings passes, as the site allows its proven sender their kinds; `upstream` as above."""
    told = {"upstream": upstream} if upstream else {}
    _say("info", "let through", findings=findings, **told)


def discarded(reference: str, verdict: str, findings: int, upstream: str = "") -> None:
    """Mail from outside was taken from a relay and thrown away, which would have bounced it; `upstream` as above."""
    told = {"upstream": upstream} if upstream else {}
    _say("warning", "discarded", reference=reference, verdict=verdict, findings=findings, **told)


def refused(code: int, enhanced: str, reason_kind: str) -> None:
    """A request was refused; `reason_kind` is the error's class name."""
    _say("info", "refused", code=code, enhanced=enhanced, reason=reason_kind)


def authenticated(kind: str, outcome: str) -> None:
    """A proof was judged; `kind` is app-password, password, totp …; `outcome` accepted, wrong, throttled, down."""
    _say("info", "authenticated", kind=kind, outcome=outcome)


def responder_away() -> None:
    """The responder that tells of revoked certificates did not answer, or not with what counts."""
    _say("warning", "responder away")


def provider_away(provider: str) -> None:
    """An identity provider of the configuration did not answer, or not with what it must answer with."""
    _say("warning", "provider away", provider=provider)


def provider_told(provider: str, kind: str) -> None:
    """An identity provider has told of a security event; `kind` as in the entry, or other."""
    _say("info", "provider told", provider=provider, kind=kind)


def code_sent(channel: str, outcome: str, code: str = "") -> None:
    """A one-time code went to a telephone by text or call: sent, refused, failed; shown in a trial, with the code."""
    _say("info", "code sent", channel=channel, outcome=outcome, **({"code": code} if code else {}))


def opened(parts: int) -> None:
    """The keyholder gave out keys for so many parts."""
    _say("info", "opened", parts=parts)


def listed(summaries: int) -> None:
    """The keyholder gave out so many summary keys."""
    _say("info", "listed", summaries=summaries)


def withheld(verb: str, reason_kind: str) -> None:
    """The keyholder or the authenticator did not give what a program asked for; `reason_kind` is the error's class."""
    _say("warning", "withheld", verb=verb, reason=reason_kind)


# ---- screening


def screening_started(landlock: int, seccomp: int, text_children: int, page_children: int) -> None:
    """Children wait for mail, held by this version of Landlock and by seccomp (1) or not (0)."""
    _say(
        "info",
        "screening started",
        landlock=landlock,
        seccomp=seccomp,
        text_children=text_children,
        page_children=page_children,
    )


def screening_failed(reason: str) -> None:
    """A child did not do its task; `reason` is a kind: time, unlocked, died, answer."""
    _say("warning", "screening failed", reason=reason)


def screening_fault(place: str, kind: str) -> None:
    """Code of ours gave up over a mail, at this place (`pdf.py:10`) with this class of error."""
    _say("error", "screening fault", place=place, kind=kind)


# ---- faxes


def fax_entered(source: str, outcome: str, reference: str, octets: int) -> None:
    """What a fax source brought is durable; `outcome` is filed, repeated, failure, left; `reference` of its item."""
    level = "warning" if outcome == "left" else "info"
    _say(level, "fax entered", source=source, outcome=outcome, reference=reference, octets=octets)


def fax_recognised(pages: int, sections: int, *, complete: bool) -> None:
    """What a fax's pages were taken for is sealed; not `complete` where a child read only some, or none: see to it."""
    _say("info" if complete else "warning", "fax recognised", pages=pages, sections=sections, complete=complete)


def fax_unrecognised() -> None:
    """A fax server's fax is filed and there was no room to hold it: it is recognised when somebody asks for that."""
    _say("warning", "fax unrecognised")


def fax_mailbox_open(source: str) -> None:
    """A fax mailbox is watched."""
    _say("info", "fax mailbox open", source=source)


def fax_mailbox_away(source: str, reason: str) -> None:
    """A fax mailbox, or the vault, could not be had; it is tried again. `reason` is a kind, or an error's class."""
    _say("warning", "fax mailbox away", source=source, reason=reason)


def fax_not_moved(source: str) -> None:
    """A fax is filed, and its mailbox would not move it: it has no room, or no such folder."""
    _say("warning", "fax not moved", source=source)


def fax_source_silent(source: str, hours: int) -> None:
    """A fax source has brought nothing for so many hours, which is longer than usual."""
    _say("error", "fax source silent", source=source, hours=hours)


def fax_overdue(source: str, waiting: int, hours: int) -> None:
    """Faxes of a source wait for somebody, the oldest for so many hours, which is longer than the site allows."""
    _say("error", "fax overdue", source=source, waiting=waiting, hours=hours)


def fax_server_refused(server: str) -> None:
    """A host that is not this listed fax server wanted to bring a fax."""
    _say("warning", "fax server refused", server=server)


# ---- outbox


def outbox_claimed(rows: int) -> None:
    """The notifier leased so many due rows."""
    _say("debug", "outbox claimed", rows=rows)


def outbox_postponed(rows: int) -> None:
    """So many leased rows were put back, as their place is busy, or cannot be spoken to."""
    _say("debug", "outbox postponed", rows=rows)


def outbox_settled(outbox_id: str, attempts: int) -> None:
    """A relay took the notification."""
    _say("info", "outbox settled", outbox_id=outbox_id, attempts=attempts)


def outbox_failed(outbox_id: str, attempts: int, code: int) -> None:
    """An attempt failed; `code` is the relay's SMTP code, 0 when there was none."""
    _say("warning", "outbox failed", outbox_id=outbox_id, attempts=attempts, code=code)


def dkim_keys_read(keys: int) -> None:
    """The folder of DKIM keys has changed: so many sign from here on."""
    _say("info", "dkim keys read", keys=keys)


def dkim_keys_kept(keys: int) -> None:
    """The folder of DKIM keys has changed and cannot be read: the same keys as before, so many, go on signing."""
    _say("error", "dkim keys kept", keys=keys)


def notice_reported(outbox_id: str, kind: str, enhanced: str, relay: str) -> None:
    """A mail came that reports on a notification; `kind` and `relay` as in the entry, `enhanced` the code it gives."""
    _say("info", "notice reported", outbox_id=outbox_id, kind=kind, enhanced=enhanced, relay=relay)


def reports_applied(reports: int, late: int) -> None:
    """So many new reports on notifications were applied, and employees told of so many that wait for long."""
    _say("info", "reports applied", reports=reports, late=late)


def tls_report_settled(report_id: str, attempts: int, state: str) -> None:
    """An attempt to send a TLS report has ended; `state` is delivered, delayed or failed."""
    _say("info", "tls report settled", report_id=report_id, attempts=attempts, state=state)


def fax_report_settled(report_id: str, attempts: int, state: str) -> None:
    """An attempt to tell a fax server what it asked for has ended; `state` is delivered, delayed or failed."""
    _say("info", "fax report settled", report_id=report_id, attempts=attempts, state=state)


# ---- what should not be


def alarm(kind: str, table: str, row_id: str) -> None:
    """A stored row is not what we wrote, or gives a power nobody granted."""
    _say("error", "alarm", kind=kind, table=table, row_id=row_id)


def purpose_stated(purpose: str, case_id: str, person_id: str) -> None:
    """An employee looks into a case that is not theirs, and has said why: whoever watches the log may ask."""
    _say("warning", "purpose stated", purpose=purpose, case_id=case_id, person_id=person_id)
