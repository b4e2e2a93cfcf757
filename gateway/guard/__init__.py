"""The program guard: it has messages of the office looked at for numbers of another case before they are released."""
