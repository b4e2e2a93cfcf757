"""The verbs of the programme, each whole or not at all."""
