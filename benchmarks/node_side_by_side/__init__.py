"""The storage node beside a Dovecot on the same machine: what each costs for the same work."""
