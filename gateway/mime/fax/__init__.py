"""Fax mail: octets in, the neutral model of `gateway.domain.fax` out, whatever system wrote it."""
