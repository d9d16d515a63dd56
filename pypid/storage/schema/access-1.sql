-- access.db: API tokens, and which identity tokens were exchanged for one. Precious: without it no token works.
-- digest: sha256 of the token, in hex; the token itself is nowhere.
-- rights, projects, publishers: words with a space between them. index_name: NULL is every index.
-- created_at, expires_at, last_used: seconds since 1970; expires_at NULL is never, last_used to the minute.
CREATE TABLE token (
    id          TEXT PRIMARY KEY,
    digest      TEXT NOT NULL UNIQUE,
    user_name   TEXT NOT NULL,
    rights      TEXT NOT NULL,
    index_name  TEXT,
    projects    TEXT NOT NULL,
    description TEXT NOT NULL,
    publishers  TEXT NOT NULL,
    created_at  REAL NOT NULL,
    expires_at  REAL,
    last_used   REAL
);

CREATE INDEX token_user ON token (user_name);
CREATE INDEX token_expiry ON token (expires_at);

-- Identity tokens that were exchanged, by issuer and jti, for as long as they are valid.
CREATE TABLE used_up (
    issuer TEXT NOT NULL,
    id     TEXT NOT NULL,
    until  REAL NOT NULL,
    PRIMARY KEY (issuer, id)
) WITHOUT ROWID;

CREATE INDEX used_up_until ON used_up (until);
