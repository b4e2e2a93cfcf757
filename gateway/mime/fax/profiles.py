"""The systems whose fax mail is known: a table each. A site adds its own in `gateway.toml`: these are asked first."""

from __future__ import annotations

from typing import Final

from gateway.domain.fax_profile import profile_of

_NUMBER: Final = r"(\+?[0-9][0-9 ().-]{1,30}[0-9])"

CISCO: Final = profile_of(
    "cisco",
    when=[r"file: ^cisco_fax\.tiff?$", r"subject: ^Fax \[DNIS=", r"type: ^multipart/fax-message"],
    calling=[r"from-name: ^\+?[0-9][0-9 ().-]*$", r"subject: \[ANI=(\+?[0-9]+)\]"],
    called=["to-fax: .+", r"to-name: ^\+?[0-9]+$", r"subject: \[DNIS=(\+?[0-9]+)\]"],
    pages=[r"subject: ^Fax \((\d+) pages?\)"],
)
T37: Final = profile_of(
    "t37",
    when=[
        r"type: application=\"?fax(?:bw|color)", "from-fax: .+", "to-fax: .+", "header-content-features: .+",
    ],
    calling=["from-fax: .+", r"from-name: ^\+?[0-9][0-9 ().-]*$"],
    called=["to-fax: .+", r"to-name: ^\+?[0-9]+$"],
    pages=[r"subject: (\d+) pages?\b", r"body: ^\s*pages:\s*(\d+)"],
)  # fmt: skip
HYLAFAX: Final = profile_of(
    "hylafax",
    when=[r"body: ^\s*CommID:\s*\S", r"subject: ^(?:Fax|Facsimile) received from \"?"],
    calling=[r"body: ^\s*CallID1:[ \t]*(\S.*)$"],
    called=[r"body: ^\s*CallID3:[ \t]*(\S.*)$", "to-fax: .+"],
    station=[r"body: ^\s*Sender:[ \t]*(\S.*)$", r"subject: received from \"?([^\"]+)"],
    pages=[r"body: ^\s*Pages:[ \t]*(\d+)"],
    received=[r"body: ^\s*Received:[ \t]*([0-9].*)$"],
    job=[r"body: ^\s*CommID:[ \t]*(\S+)"],
    errors=[r"body: ^\s*Errors were received", r"body: ^\s*Error:\s*\S"],
    failed=[r"subject: fail|not received|error", r"body: ^\s*(?:Errors were received|Reception failed)"],
)
EFAX: Final = profile_of(
    "efax",
    when=[r"subject: ^eFax\b.{0,40}? from "],
    calling=[r"subject: caller[- ]?ID:?[ ]*" + _NUMBER],
    called=[r"body: (?:sent to|fax number)[: ]+" + _NUMBER],
    station=[r"subject: ^eFax\b.{0,40}? from \"?(.*?)\"? - \d+ page"],
    pages=[r"subject: - (\d+) page"],
    received=[r"body: received at (\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} ?[A-Z]{0,4})"],
    job=[r"body: reference number (?:for this fax )?is:? ([A-Za-z0-9_-]+)"],
    failed=[r"subject: fail|unsuccessful|not received"],
)
RIGHTFAX: Final = profile_of(
    "rightfax",
    when=[r"subject: ^A fax has arrived from remote ID", r"body: ^\s*Received from remote ID:"],
    calling=[r"body: ^\s*(?:ANI|Caller ?ID|CSID number):[ \t]*" + _NUMBER],
    called=[r"body: routing code:?[ \t]*([0-9]+)", r"body: ^\s*DID:[ \t]*([0-9]+)"],
    station=[r"subject: remote ID '([^']*)'", r"body: ^\s*Received from remote ID:[ \t]*(\S.*)$"],
    pages=[r"body: ^\s*Page record: *\d+ *- *(\d+)", r"body: ^\s*Pages:[ \t]*(\d+)"],
    received=[r"body: ^\s*(\d{1,2}/\d{1,2}/\d{4} +\d{1,2}:\d{2}(?::\d{2})? ?[AP]M)"],
    job=[r"body: ^\s*(?:Unique ID|Fax ID):[ \t]*(\S+)"],
    errors=[r"body: ^\s*Result: *\((?:[1-9]|0/[0-9]+;[1-9])"],
    failed=[r"subject: fail|error|not received"],
)
RICOH: Final = profile_of(
    "ricoh",
    when=[r"subject: ^From .{0,60}\(Fax Message No\."],
    calling=[r"subject: ^From \"?" + _NUMBER + r"\"? *\("],
    called=["to-fax: .+"],
    station=[r"subject: ^From \"?(.*?)\"? *\(Fax Message No\."],
    pages=[r"body: ^\s*(?:Pages|Page\(s\)|P\.) *:? *(\d+)"],
    job=[r"subject: \(Fax Message No\. *([0-9]+)\)"],
    failed=[r"subject: fail|error|not received"],
)
GENERIC: Final = profile_of(
    "generic",
    calling=[
        r"body: ^\s*(?:From|Caller(?: ?ID)?|Sender|Calling(?: number)?|Fax number):[ \t]*" + _NUMBER,
        r"subject: from:? +\"?" + _NUMBER, "from-fax: .+", r"from-name: ^\+?[0-9][0-9 ().-]*$",
    ],
    called=[r"body: ^\s*(?:To|Called(?: number)?|DID|DNIS):[ \t]*" + _NUMBER, "to-fax: .+", r"to-name: ^\+?[0-9]+$"],
    station=[r"body: ^\s*(?:CSID|TSI|Station(?: ID)?|Remote ID):[ \t]*(\S.*)$"],
    pages=[r"body: ^\s*(?:Number of )?pages?(?:\(s\)| received)?:[ \t]*(\d+)", r"subject: (\d+)[ -]pages?\b"],
    received=[r"body: ^\s*(?:Received|Date|Time received):[ \t]*(\S.*)$"],
    job=[r"body: ^\s*(?:Job|Fax|Reference|Message)(?: ID| no\.?| number)?:[ \t]*(\S+)$"],
    errors=[r"body: ^\s*(?:Errors? (?:were|was) received|Status: *(?:error|incomplete|partial))"],
    failed=[r"subject: \b(?:fax|facsimile)\b.*(?:fail|error|unsuccessful|could not|not (?:sent|received|delivered))"],
)  # fmt: skip

PROFILES: Final = (CISCO, HYLAFAX, EFAX, RIGHTFAX, RICOH, T37)
"""Those that know their mail when they see it, in the order in which they are asked. GENERIC takes the rest."""
