"""What is kept of a password."""

from __future__ import annotations

import bcrypt

from pypid.cli.password import COST, hash_password
from pypid.domain.password_hashes import kind_of


def test_the_hash_is_what_apache_writes_and_pypid_accepts() -> None:
    """As `htpasswd -B -C 12` does it, so that one file can serve both."""
    made = hash_password(b"secret")
    assert made.startswith(f"$2y${COST}$")
    assert kind_of(made).name == f"a bcrypt password of cost {COST}"
    assert bcrypt.checkpw(b"secret", made.encode())


def test_two_users_of_one_password_do_not_show_it() -> None:
    assert hash_password(b"secret", cost=4) != hash_password(b"secret", cost=4)
