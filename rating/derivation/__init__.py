"""Say step by step how a charge came to its amount, so that a person can read it and a program can do it again."""
