"""What other programs made of "secret", and that a wrong password costs everybody the same."""

from __future__ import annotations

import bcrypt
import pytest

from pypid.domain.htpasswd import parse_htpasswd
from pypid.domain.password_hashes import HashRefused, kind_of, matches

BCRYPT = "$2y$05$T1.owcp2wsvdWYIeet5MT.lXWj7Mxg83.YOFgIxeYEQAfkFmKDaMO"
MD5 = "$apr1$6YUg6Oc8$JzdZWeUk.W8uY1E1U/RDY/"
SHA1 = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
SHA256 = "$5$1.p3Isc1cEyGyUkf$Iy5QuBhooVo8OVYao4T/phXKS8kgmXnhC0DnPYKevNA"
SHA512 = "$6$Lk0kPi7rKoWmTb.R$CCzHe7YsWKKdjnKgPMRVF99taFpUBQG4Y1S9ix6AoYHBMVRd.Us.XZVjpqNIJNHMBFlh0XH0U6iPFhLo709SP0"
ARGON2 = "$argon2id$v=19$m=64,t=1,p=1$Q5/7E/baF8Y6I633y8OKdg$XfEg1aMLQ7m/b01yeG64FfUd4Vo4UTERN4f1y1mmDEI"
OTHERS = [MD5, SHA1, SHA256, SHA512, ARGON2]


@pytest.mark.parametrize("stored", [BCRYPT, *OTHERS])
def test_what_apache_and_others_wrote_is_checked_and_warned_about(stored: str) -> None:
    users = parse_htpasswd(f"alice:x\nbob:{stored}\n")
    assert users.is_right("bob", b"secret")
    assert not users.is_right("bob", b"Secret")
    assert not users.is_right("alice", b"secret")
    (warning,) = users.warnings
    assert warning.startswith(f"line 2: user 'bob' has {kind_of(stored).name}, ")
    assert warning.endswith(": run `pypid user passwd bob`")


@pytest.mark.parametrize("stored", OTHERS)
def test_bcrypt_alone_is_checked_where_that_is_wanted(stored: str) -> None:
    users = parse_htpasswd(f"alice:{BCRYPT}\nbob:{stored}\n", bcrypt_only=True)
    assert list(users.hashes) == ["alice"]
    assert users.problems == (
        f"line 2: user 'bob' has {kind_of(stored).name}, which pypid does not check: run `pypid user passwd bob`",
    )


@pytest.mark.parametrize("stored", ["secret", "mQsRmnxrx2gt6", BCRYPT.replace("$2y$", "$2x$"), "$1$Lk0kPi7r$x", ""])
def test_plain_text_and_des_and_faulty_bcrypt_are_never_checked(stored: str) -> None:
    with pytest.raises(HashRefused):
        kind_of(stored)


@pytest.mark.parametrize("stored", OTHERS)
@pytest.mark.parametrize("password", [b"", b"secret\0", b"x" * 73, b"x" * 5000])
def test_odd_passwords_are_wrong_and_no_error(stored: str, password: bytes) -> None:
    assert not matches(password, stored.encode())


@pytest.mark.parametrize(("length", "is_right"), [(72, True), (73, False), (200, False)])
def test_bcrypt_password_is_never_cut_off(length: int, is_right: bool) -> None:  # noqa: FBT001
    """E10."""
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4))
    assert matches(b"x" * length, stored) is is_right


@pytest.mark.parametrize("stored", OTHERS)
def test_damaged_hashes_are_refused_or_match_nothing(stored: str) -> None:
    for at in range(len(stored)):
        damaged = stored[:at] + "z" + stored[at + 1 :]
        try:
            kind_of(damaged)
        except HashRefused:
            continue
        if stored not in {damaged, ARGON2}:
            assert not matches(b"secret", damaged.encode()), damaged


def test_wrong_password_does_the_same_work_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """E03, E04: one check of each amount of work in the file, for who exists and for who does not."""
    users = parse_htpasswd(
        f"alice:{BCRYPT}\nbob:{MD5}\neve:{SHA512}\nzoe:{BCRYPT.replace('$05$', '$04$')}\nann:{BCRYPT}"
    )
    work: list[object] = []

    def counted(password: bytes, stored: bytes) -> bool:
        work.append(kind_of(stored.decode()).work)
        return matches(password, stored)

    monkeypatch.setattr("pypid.domain.htpasswd.matches", counted)
    done = {}
    for user in (*users.hashes, "nobody", ""):
        work.clear()
        assert not users.is_right(user, b"wrong")
        done[user] = sorted(map(str, work))
    assert len(done["nobody"]) == 4
    assert all(each == done["nobody"] for each in done.values())
