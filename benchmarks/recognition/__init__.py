"""How well and how fast the pages of a fax are recognised: sheets drawn here, filled in, sent through a poor fax line."""
