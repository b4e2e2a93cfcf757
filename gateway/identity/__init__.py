"""Proofs of identity: passwords, second factors, sessions. Imported by the authenticator alone."""
