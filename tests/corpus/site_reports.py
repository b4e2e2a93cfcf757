"""Reports that other sites' mail systems send of this one, with invented numbers: DMARC, TLS and abuse."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from email.message import EmailMessage

SITE = "secure.agency.example"
_DAY = 86_400
_MANY = 10**9


def dmarc_report(draw: random.Random, note: str = "") -> bytes:
    """An aggregate report (RFC 7489 appendix C) as XML, zipped or gzipped."""
    begin = draw.randint(18_000, 21_000) * _DAY
    ident = draw.choice(
        [str(draw.randint(_MANY // 10, _MANY)), str(draw.randint(10**17, 10**20)), f"{draw.getrandbits(64):x}"]
    )
    records = "".join(
        f"<record><row><source_ip>{_address(draw)}</source_ip>"
        f"<count>{draw.randint(1, 10 ** draw.randint(1, 9))}</count>"
        "<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>"
        f"<identifiers><header_from>{SITE}</header_from></identifiers><auth_results><dkim><domain>tours.example</domain>"
        f"<result>pass</result><selector>s{draw.randint(1, _MANY)}</selector></dkim></auth_results></record>\n"
        for _ in range(draw.randint(1, 40))
    )
    xml = (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<feedback><report_metadata><org_name>tours.example</org_name>'
        f"<email>dmarc@tours.example</email><report_id>{ident}</report_id><date_range><begin>{begin}</begin>"
        f"<end>{begin + _DAY - 1}</end></date_range></report_metadata><policy_published><domain>{SITE}</domain>"
        f"<p>none</p><pct>100</pct></policy_published>\n{records}{note}</feedback>\n"
    ).encode()
    name = f"tours.example!{SITE}!{begin}!{begin + _DAY - 1}.xml"
    kind, name, octets = draw.choice(
        [("xml", name, xml), ("gzip", f"{name}.gz", gzip.compress(xml)), _zipped(name, xml)]
    )
    mail = _mail(f"Report domain: {SITE} Submitter: tours.example Report-ID: {ident}")
    if draw.random() < 0.5:
        mail.set_content(octets, "application", kind, filename=name)
    else:
        mail.set_content("This is an aggregate report.\n")
        mail.add_attachment(octets, "application", kind, filename=name)
    return _sent(mail)


def tls_report(draw: random.Random, note: str = "") -> bytes:
    """A report of TLS (RFC 8460) as JSON, gzipped or not."""
    details = [
        {
            "result-type": "certificate-expired",
            "sending-mta-ip": _address(draw),
            "receiving-ip": _address(draw),
            "failed-session-count": draw.randint(1, _MANY),
        }
        for _ in range(draw.randint(0, 20))
    ]
    counts = {f"total-{word}-session-count": draw.randint(1, _MANY) for word in ("successful", "failure")}
    policy = {"policy-type": "sts", "policy-string": ["version: STSv1", "max_age: 86400"], "policy-domain": SITE}
    report = {
        "organization-name": f"Tours {note}",
        "date-range": {"start-datetime": "2026-04-01T00:00:00Z", "end-datetime": "2026-04-01T23:59:59Z"},
        "report-id": str(draw.randint(_MANY // 10, _MANY)),
        "policies": [{"policy": policy, "summary": counts, "failure-details": details}],
    }
    octets = json.dumps(report, indent=draw.choice([None, 1])).encode()
    mail = _mail(f"Report Domain: {SITE} Submitter: tours.example Report-ID: <{draw.randint(1, _MANY)}@tours.example>")
    mail["TLS-Report-Domain"] = SITE
    mail.set_content("This is an aggregate TLS report.\n")
    name = f"tours.example!{SITE}!1!2.json"
    if draw.random() < 0.5:
        mail.add_attachment(gzip.compress(octets), "application", "tlsrpt+gzip", filename=f"{name}.gz")
    else:
        mail.add_attachment(octets, "application", "tlsrpt+json", filename=name)
    mail.set_type("multipart/report")
    mail.set_param("report-type", "tlsrpt")
    return _sent(mail)


def abuse_report(draw: random.Random, note: str = "") -> bytes:
    """A report of abuse (RFC 5965)."""
    return (
        f"From: abuse@tours.example\r\nTo: abuse@{SITE}\r\nSubject: FW: Earn money\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b1"\r\n\r\n'
        f"--b1\r\nContent-Type: text/plain\r\n\r\nReceived from IP {_address(draw)}. {note}\r\n\r\n"
        "--b1\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: abuse\r\nUser-Agent: Tours/1.0\r\nVersion: 1\r\nSource-IP: {_address(draw)}\r\n"
        f"Incidents: {draw.randint(1, _MANY)}\r\nReported-Domain: example.net\r\n\r\n"
        "--b1\r\nContent-Type: message/rfc822\r\n\r\nFrom: x@example.net\r\nSubject: Earn money\r\n"
        f"Message-ID: <{draw.randint(1, _MANY)}.{draw.randint(1, _MANY)}@example.net>\r\n\r\nSpam\r\n--b1--\r\n"
    ).encode()


def _sent(mail: EmailMessage) -> bytes:
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _mail(subject: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "reports@tours.example", f"postmaster@{SITE}", subject
    return mail


def _zipped(name: str, octets: bytes) -> tuple[str, str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, octets)
    return "zip", f"{name.removesuffix('.xml')}.zip", packed.getvalue()


def _address(draw: random.Random) -> str:
    if draw.random() < 0.7:
        return ".".join(str(draw.randint(1, 254)) for _ in range(4))
    return ":".join(f"{draw.randint(0, 65_535):x}" for _ in range(8))
