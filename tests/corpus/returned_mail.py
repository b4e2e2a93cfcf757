"""Mails that come back, written by us in the forms of mail systems: reports, complaints, bounces of old habit."""

from __future__ import annotations

NOTICE = "019b2c3d4e5f0123456789abcdef0123"
OWN_ID = f"<notice.{NOTICE}@gateway.example>"
ADDRESS = "agent@firm.example"
RETURNED = (
    "Received: from gateway.example by mx.firm.example; Sun, 22 Nov 2026 11:00:00 +0000\r\n"
    "From: notices@gateway.example\r\n"
    f"To: {ADDRESS}\r\n"
    "Subject: A message is waiting for you\r\n"
    f"Message-ID: {OWN_ID}\r\n"
)


def report(
    fields: str,
    *,
    returned: str = RETURNED,
    status_type: str = "message/delivery-status",
    returned_type: str = "text/rfc822-headers",
    report_type: str = "delivery-status",
    encoding: str = "",
) -> str:
    """A report (RFC 6522) with these fields about the recipients; its fields about the message are always the same."""
    about = "Reporting-MTA: dns; mx.firm.example\r\nArrival-Date: Sun, 22 Nov 2026 11:00:00 +0000\r\n"
    coded = f"Content-Transfer-Encoding: {encoding}\r\n" if encoding else ""
    return (
        "From: MAILER-DAEMON@mx.firm.example (Mail Delivery System)\r\n"
        "To: somebody@gateway.example\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={report_type}; boundary="b1"\r\n\r\n'
        "--b1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nIt did not work, 550 5.9.9 says nobody.\r\n"
        f"--b1\r\nContent-Type: {status_type}\r\n{coded}\r\n{about}\r\n{fields}\r\n"
        f"--b1\r\nContent-Type: {returned_type}\r\n\r\n{returned}\r\n"
        "--b1--\r\n"
    )


def failure(status: str = "5.1.1", recipient: str = ADDRESS, diagnostic: str = "") -> str:
    """A report that one recipient's mail failed."""
    fields = f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: {status}\r\n"
    return report(fields + (f"Diagnostic-Code: {diagnostic}\r\n" if diagnostic else ""))


def complaint(kind: str = "abuse", path: str = "", recipient: str = ADDRESS) -> str:
    """A feedback report (RFC 5965), as the loops of large mailbox providers send it."""
    fields = f"Feedback-Type: {kind}\r\nUser-Agent: Loop/1.0\r\nVersion: 1\r\nOriginal-Rcpt-To: <{recipient}>\r\n"
    fields += f"Original-Mail-From: <{path}>\r\n" if path else ""
    return (
        "From: feedback@provider.example\r\nTo: abuse@gateway.example\r\nSubject: FW: A message is waiting for you\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b1"\r\n\r\n'
        "--b1\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report.\r\n"
        f"--b1\r\nContent-Type: message/feedback-report\r\n\r\n{fields}\r\n"
        f"--b1\r\nContent-Type: message/rfc822\r\n\r\n{RETURNED}\r\nwords\r\n--b1--\r\n"
    )


def plain(text: str, *, head: str = "", sender: str = "MAILER-DAEMON@mx.firm.example") -> str:
    """A mail of one text."""
    return f"From: {sender}\r\nTo: x@gateway.example\r\nSubject: failure notice\r\n{head}\r\n{text}\r\n"


QMAIL = plain(
    "Hi. This is the qmail-send program at mx.firm.example.\r\nI'm afraid I wasn't able to deliver your message.\r\n"
    f"This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n<{ADDRESS}>:\r\n"
    "Sorry, no mailbox here by that name. (#5.1.1)\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n"
    f"Return-Path: <b-x@gateway.example>\r\n{RETURNED}"
)
EXIM = plain(
    "This message was created automatically by mail delivery software.\r\n\r\nA message that you sent could not be\r\n"
    f"delivered to one or more of its recipients:\r\n\r\n  {ADDRESS}\r\n    host mx.firm.example [192.0.2.7]\r\n"
    f"    SMTP error from remote mail server after RCPT TO:<{ADDRESS}>:\r\n    552 5.2.2 over quota\r\n\r\n"
    f"------ This is a copy of the message, including all the headers. ------\r\n\r\n{RETURNED}",
    head=f"X-Failed-Recipients: {ADDRESS}\r\nAuto-Submitted: auto-replied\r\n",
)
EXCHANGE = plain(
    "Your message did not reach some or all of the intended recipients.\r\n\r\n"
    "The following recipient(s) could not be reached:\r\n\r\n"
    f"      {ADDRESS} on 11/22/2026 11:00 AM\r\n"
    "            The e-mail account does not exist at the organization this message was sent to.\r\n"
    "            <mx.firm.example #5.1.1 smtp;550 5.1.1 RESOLVER.ADR.RecipNotFound; not found>\r\n",
    sender="postmaster@firm.example",
)
PROVIDER = plain(
    "Sorry, we were unable to deliver your message to the following address.\r\n\r\n"
    f"<{ADDRESS}>:\r\n554: delivery error: dd This user doesn't have an account (agent) [-5] - mta1\r\n\r\n"
    f"--- Below this line is a copy of the message.\r\n\r\n{RETURNED}",
)
POSTFIX_OLD = plain(
    "This is the Postfix program at host mx.firm.example.\r\n\r\nI'm sorry to have to inform you that your message\r\n"
    f"could not be delivered.\r\n\r\n<{ADDRESS}>: host mx[192.0.2.9] said: 550 <{ADDRESS}>: User unknown\r\n\r\n"
    f"{RETURNED}",
)
HABITS = {"qmail": QMAIL, "exim": EXIM, "exchange": EXCHANGE, "provider": PROVIDER, "postfix": POSTFIX_OLD}

VACATION = plain(
    f"I am away until 5.1.2027. In urgent cases call 550 Main Street, or write to {ADDRESS}.",
    head=f"Auto-Submitted: auto-replied\r\nIn-Reply-To: {OWN_ID}\r\nReferences: {OWN_ID}\r\n",
    sender=ADDRESS,
)
OLD_VACATION = plain(
    "I am away. Call 550 Main Street; room 5.1.1 on the 22nd.", head=f"In-Reply-To: {OWN_ID}\r\n", sender=ADDRESS
)
