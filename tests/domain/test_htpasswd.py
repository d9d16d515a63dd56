"""The htpasswd file: who can sign in, who cannot and is told why, and that edits touch one line."""

from __future__ import annotations

import bcrypt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pypid.domain.htpasswd import (
    MAX_USER_LENGTH,
    HtpasswdError,
    InvalidUserName,
    check_user_name,
    list_users,
    parse_htpasswd,
    remove_user,
    set_user,
)
from tests.domain.strategies import patient

REST = "abcdefghijklmnopqrstu." + "A" * 31
HASH = f"$2y$12${REST}"
OTHER = f"$2b$10${REST}"


def disabled(password: str) -> str:
    """Return what is said of a user with this password."""
    parsed = parse_htpasswd(f"# users\nbob:{password}\n")
    assert parsed.hashes == {}
    (problem,) = parsed.problems
    assert problem.startswith("line 2: user 'bob' has ")
    return problem


def test_users_of_an_ordinary_file() -> None:
    text = f"# the team\r\n\r\nalice:{HASH}\r\n  \nJosé von X:{OTHER}  \n#eve:{HASH}"
    parsed = parse_htpasswd("\ufeff" + text)
    assert parsed.hashes == {"alice": HASH.encode(), "José von X": OTHER.encode()}
    assert (parsed.problems, parsed.warnings, parsed.is_blank) == ((), (), False)
    assert set(parsed.samples.values()) == {HASH.encode(), OTHER.encode()}


def test_an_empty_file_has_no_users() -> None:
    """Nothing at all is what is left of a file that was cut off; a comment was meant."""
    for text, is_blank in [("", True), ("\ufeff\r\n ", True), ("# nobody\n", False)]:
        parsed = parse_htpasswd(text)
        assert (parsed.hashes, parsed.problems, parsed.is_blank) == ({}, (), is_blank)


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_what_is_accepted_bcrypt_can_check(prefix: str) -> None:
    made = prefix + bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()[4:]
    hashed = parse_htpasswd(f"bob:{made}").hashes["bob"]
    assert bcrypt.checkpw(b"secret", hashed)
    assert not bcrypt.checkpw(b"Secret", hashed)


@patient
@given(st.text("./AOeuz09$", min_size=53, max_size=53))
@example("." * 53)
@example("z" * 53)
def test_no_accepted_hash_breaks_bcrypt(rest: str) -> None:
    """A damaged line would else be an error at each sign-in, and not one at the start."""
    for hashed in parse_htpasswd(f"bob:$2y$04${rest}").hashes.values():
        assert not bcrypt.checkpw(b"secret", hashed)


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("$apr1$abcdefgh$x", "a damaged $apr1$ (MD5) password"),
        (f"$2x$12${REST}", "a $2x$ (an old, faulty bcrypt) password"),
        ("{SHA}x", "a damaged {SHA} (SHA-1) password"),
        ("$6$salt$xxx", "a damaged $6$ (SHA-512) password"),
        ("$5$rounds=500001$salt$" + "x" * 43, "a $5$ (SHA-256) password of rounds 500001 (not 1000 to 500000)"),
        ("$argon2id$v=19$xxx", "a damaged $argon2 (Argon2) password"),
        ("$argon2id$v=19$m=999999,t=3,p=4$" + "x" * 22 + "$" + "x" * 43, "password of KiB 999999 (not 8 to 262144)"),
        ("{SSHA}x", "a {SSHA} (SHA-1) password"),
        ("$1$salt$x", "a $1$ (MD5) password"),
        ("rqXexS6ZhobKA", "a plain-text, crypt() or unknown password"),
        ("", "an empty password"),
        (HASH[:-1], "a damaged bcrypt password"),
        (HASH + "x", "a damaged bcrypt password"),
        (f"$2y$31${REST}", "a bcrypt password of cost 31 (not 4 to 14)"),
        (f"$2y$03${REST}", "a bcrypt password of cost 3 (not 4 to 14)"),
    ],
)
def test_what_cannot_be_checked_is_disabled_with_a_way_out(password: str, fault: str) -> None:
    problem = disabled(password)
    assert fault in problem
    assert problem.endswith("which pypid does not check: run `pypid user passwd bob`")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("secret-without-a-user", "line 1: not of the form user:password; the line is ignored"),
        (f":{HASH}", "line 1: not of the form user:password; the line is ignored"),
        (f" bob:{HASH}", "line 1: ' bob' begins or ends with a space, or begins with '#'; the line is ignored"),
        (f"b\tb:{HASH}", r"line 1: 'b\tb' has a colon or a control character"),
        (f"{'b' * 256}:{HASH}", "line 1: 'bbbb"),
    ],
)
def test_a_line_that_is_no_entry_is_ignored_and_told(line: str, problem: str) -> None:
    parsed = parse_htpasswd(f"{line}\nalice:{HASH}")
    assert list(parsed.hashes) == ["alice"]
    assert [found[: len(problem)] for found in parsed.problems] == [problem]


def test_passwords_are_never_repeated() -> None:
    """Problems go to the log."""
    text = "bob:plainsecret\nplainsecret\n:plainsecret\neve:$2y$99$plainsecret\n"
    assert "plainsecret" not in "".join(parse_htpasswd(text).problems)
    with pytest.raises(HtpasswdError) as caught:
        parse_htpasswd("bob:plainsecret\nbob:plainsecret")
    assert "plainsecret" not in str(caught.value)


def test_two_entries_of_one_user_make_the_file_useless() -> None:
    """Which of the two counts would be a guess: perhaps the old password, perhaps a stranger's."""
    with pytest.raises(HtpasswdError, match="line 3: user 'bob' already has line 1: remove one of them"):
        parse_htpasswd(f"bob:{HASH}\nalice:{HASH}\nbob:$apr1$x")


@pytest.mark.parametrize("name", ["a", "José", "first last", "a@b.c", "-x", "\U0001f600", "é" * (MAX_USER_LENGTH // 2)])
def test_good_names(name: str) -> None:
    check_user_name(name)


@pytest.mark.parametrize(
    "name", ["", "a:b", " a", "a ", "#a", "a\nb", "a\0", "a\x85", "a\u2028b", "\ud800", "é" * 128, "a" * 256]
)
def test_bad_names(name: str) -> None:
    for use in (check_user_name, lambda bad: set_user("", bad, HASH), lambda bad: remove_user("", bad)):
        with pytest.raises(InvalidUserName):
            use(name)


names = st.text("ab", min_size=1, max_size=2) | st.just("José")
passwords = st.sampled_from([HASH, OTHER, "$apr1$x", "", "a:b"])
lines = st.one_of(
    st.builds(lambda name, password: f"{name}:{password}", names, passwords),
    st.text("ab:# \t\r\x0b\u2028$", max_size=6),
)
texts = st.builds(
    lambda bom, parts, last: bom + "".join(line + end for line, end in parts) + last,
    st.sampled_from(["", "\ufeff"]),
    st.lists(st.tuples(lines, st.sampled_from(["\n", "\r\n"])), max_size=5),
    lines,
)


def others(text: str, user: str) -> list[str]:
    """The lines that are not those of ``user``, found another way than by the code under test."""
    return [line for line in text.removeprefix("\ufeff").split("\n") if line.split(":")[0] != user or ":" not in line]


@patient
@given(texts, names)
def test_setting_a_password_touches_no_other_line(text: str, user: str) -> None:
    changed = set_user(text, user, HASH)
    assert changed.startswith("\ufeff") == text.startswith("\ufeff")
    assert [line.rstrip("\r") for line in others(changed, user) if line.strip()] == [
        line.rstrip("\r") for line in others(text, user) if line.strip()
    ]
    assert [line for line in changed.split("\n") if line.removeprefix("\ufeff").startswith(f"{user}:")]
    assert set(list_users(changed)) == {*list_users(text), user}
    assert set_user(changed, user, HASH) == changed


@patient
@given(texts, names)
def test_removing_a_user_touches_no_other_line(text: str, user: str) -> None:
    """Byte for byte, line ends too."""
    removed = remove_user(text, user)
    assert user not in list_users(removed)
    kept = others(text, user)
    assert [line for line in removed.removeprefix("\ufeff").split("\n") if line] == [line for line in kept if line]
    if user not in list_users(text):
        assert removed == text


@patient
@given(texts, names)
def test_who_was_added_can_sign_in_and_who_was_removed_cannot(text: str, user: str) -> None:
    without = remove_user(text, user)
    try:
        before = parse_htpasswd(without).hashes
    except HtpasswdError:
        return
    after = parse_htpasswd(set_user(without, user, HASH)).hashes
    assert after == {**before, user: HASH.encode()}


def test_edits_keep_the_style_of_the_file() -> None:
    text = f"\ufeff# team\r\nbob:{OTHER}\r\n\r\n# last"
    assert set_user(text, "bob", HASH) == f"\ufeff# team\r\nbob:{HASH}\r\n\r\n# last"
    assert set_user(text, "eve", HASH) == f"{text}\r\neve:{HASH}\r\n"
    assert remove_user(text, "bob") == "\ufeff# team\r\n\r\n# last"
    assert set_user("", "bob", HASH) == f"bob:{HASH}\n"


def test_a_new_password_leaves_one_line_of_a_user() -> None:
    """So that `pypid user passwd` repairs a file with two."""
    assert set_user("bob:1\nal:2\nbob:3\n", "bob", HASH) == f"bob:{HASH}\nal:2\n"
