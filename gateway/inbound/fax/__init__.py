"""The fax program: fax mail from mailboxes and from the site's fax servers, sealed into the intake tray.

Does: watches mailboxes by IMAP and listens for fax servers by SMTP; reads which system wrote a mail and what it tells
    of its fax; seals the octets as they came, and puts an item beside those of outside mail. A mailbox's item is moved
    only after the vault has it. A fax that comes more than once counts once; a notice of failure is entered, not kept.
Trusts: the mailbox's server by its certificate, and fax servers by theirs or by their address, that they bring faxes:
    it screens for nothing. Nothing that a fax tells of its sender is taken for a proof.
Holds: one mail of each source in memory; each mailbox's password or token; public intake keys, and the deposit key,
    which opens nothing. PDFs are counted by a child without keys, files or network.
Fails: the vault away → nothing is moved or told, and it tries again later; a server away → again, with growing pauses.
    A mail that cannot be read is kept sealed, for review; one over the limit stays where it is, with an entry.
"""
