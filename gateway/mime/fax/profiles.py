"""The systems whose fax mail is known: a table each, as sites write their own in `gateway.toml`; those come first."""

from __future__ import annotations

import tomllib
from typing import Final

from gateway.domain.fax_profile import profile_of

_NUMBER: Final = r"(\+?[0-9][0-9 ().-]{1,30}[0-9])"
_TABLES: Final = r"""
[cisco]
when = ['file: ^cisco_fax\.tiff?$', 'subject: ^Fax \[DNIS=', 'type: ^multipart/fax-message']
calling = ['from-name: ^\+?[0-9][0-9 ().-]*$', 'subject: \[ANI=(\+?[0-9]+)\]']
called = ['to-fax: .+', 'to-name: ^\+?[0-9]+$', 'subject: \[DNIS=(\+?[0-9]+)\]']
pages = ['subject: ^Fax \((\d+) pages?\)']

[hylafax]
when = ['body: ^\s*CommID:\s*\S', 'subject: ^(?:Fax|Facsimile) received from \"?']
calling = ['body: ^\s*CallID1:[ \t]*(\S.*)$']
called = ['body: ^\s*CallID3:[ \t]*(\S.*)$', 'to-fax: .+']
station = ['body: ^\s*Sender:[ \t]*(\S.*)$', 'subject: received from \"?([^\"]+)']
pages = ['body: ^\s*Pages:[ \t]*(\d+)']
received = ['body: ^\s*Received:[ \t]*([0-9].*)$']
job = ['body: ^\s*CommID:[ \t]*(\S+)']
errors = ['body: ^\s*Errors were received', 'body: ^\s*Error:\s*\S']
failed = ['subject: fail|not received|error', 'body: ^\s*(?:Errors were received|Reception failed)']

[efax]
when = ['subject: ^eFax\b.{0,40}? from']
calling = ['subject: caller[- ]?ID:?[ ]*NUMBER']
called = ['body: (?:sent to|fax number)[: ]+NUMBER']
station = ['subject: ^eFax\b.{0,40}? from \"?(.*?)\"? - \d+ page']
pages = ['subject: - (\d+) page']
received = ['body: received at (\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} ?[A-Z]{0,4})']
job = ['body: reference number (?:for this fax )?is:? ([A-Za-z0-9_-]+)']
failed = ['subject: fail|unsuccessful|not received']

[rightfax]
when = ['subject: ^A fax has arrived from remote ID', 'body: ^\s*Received from remote ID:']
calling = ['body: ^\s*(?:ANI|Caller ?ID|CSID number):[ \t]*NUMBER']
called = ['body: routing code:?[ \t]*([0-9]+)', 'body: ^\s*DID:[ \t]*([0-9]+)']
station = ['''subject: remote ID '([^']*)'''', 'body: ^\s*Received from remote ID:[ \t]*(\S.*)$']
pages = ['body: ^\s*Page record: *\d+ *- *(\d+)', 'body: ^\s*Pages:[ \t]*(\d+)']
received = ['body: ^\s*(\d{1,2}/\d{1,2}/\d{4} +\d{1,2}:\d{2}(?::\d{2})? ?[AP]M)']
job = ['body: ^\s*(?:Unique ID|Fax ID):[ \t]*(\S+)']
errors = ['body: ^\s*Result: *\((?:[1-9]|0/[0-9]+;[1-9])']
failed = ['subject: fail|error|not received']

[ricoh]
when = ['subject: ^From .{0,60}\(Fax Message No\.']
calling = ['subject: ^From \"?NUMBER\"? *\(']
called = ['to-fax: .+']
station = ['subject: ^From \"?(.*?)\"? *\(Fax Message No\.']
pages = ['body: ^\s*(?:Pages|Page\(s\)|P\.) *:? *(\d+)']
job = ['subject: \(Fax Message No\. *([0-9]+)\)']
failed = ['subject: fail|error|not received']

[t37]
when = ['type: application=\"?fax(?:bw|color)', 'from-fax: .+', 'to-fax: .+', 'header-content-features: .+']
calling = ['from-fax: .+', 'from-name: ^\+?[0-9][0-9 ().-]*$']
called = ['to-fax: .+', 'to-name: ^\+?[0-9]+$']
pages = ['subject: (\d+) pages?\b', 'body: ^\s*pages:\s*(\d+)']

[generic]
calling = [
    'body: ^\s*(?:From|Caller(?: ?ID)?|Sender|Calling(?: number)?|Fax number):[ \t]*NUMBER',
    'subject: from:? +\"?NUMBER',
    'from-fax: .+',
    'from-name: ^\+?[0-9][0-9 ().-]*$',
]
called = ['body: ^\s*(?:To|Called(?: number)?|DID|DNIS):[ \t]*NUMBER', 'to-fax: .+', 'to-name: ^\+?[0-9]+$']
station = ['body: ^\s*(?:CSID|TSI|Station(?: ID)?|Remote ID):[ \t]*(\S.*)$']
pages = ['body: ^\s*(?:Number of )?pages?(?:\(s\)| received)?:[ \t]*(\d+)', 'subject: (\d+)[ -]pages?\b']
received = ['body: ^\s*(?:Received|Date|Time received):[ \t]*(\S.*)$']
job = ['body: ^\s*(?:Job|Fax|Reference|Message)(?: ID| no\.?| number)?:[ \t]*(\S+)$']
errors = ['body: ^\s*(?:Errors? (?:were|was) received|Status: *(?:error|incomplete|partial))']
failed = ['subject: \b(?:fax|facsimile)\b.*(?:fail|error|unsuccessful|could not|not (?:sent|received|delivered))']
"""

*_known, GENERIC = (
    profile_of(name, **rules) for name, rules in tomllib.loads(_TABLES.replace("NUMBER", _NUMBER)).items()
)
PROFILES: Final = tuple(_known)
"""Those that know their mail when they see it, in the order in which they are asked. GENERIC takes the rest."""
