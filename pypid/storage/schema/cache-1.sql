-- cache.db: what was fetched. Disposable: everything in it can be fetched again.
-- body: as upstream sent it, in the content coding that `encoding` names.
-- fetched_at: seconds since 1970 by the wall clock, since it must outlive a restart.
CREATE TABLE page (
    index_name    TEXT NOT NULL,
    project       TEXT NOT NULL,
    upstream      TEXT NOT NULL,
    url           TEXT NOT NULL,
    content_type  TEXT NOT NULL,
    encoding      TEXT NOT NULL,
    body          BLOB NOT NULL,
    etag          TEXT,
    last_modified TEXT,
    fetched_at    REAL NOT NULL,
    PRIMARY KEY (index_name, project)
);

-- Files whose blob is kept. They stay downloadable when the page no longer lists them (lock files).
CREATE TABLE file (
    index_name TEXT NOT NULL,
    project    TEXT NOT NULL,
    filename   TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    PRIMARY KEY (index_name, project, filename, sha256)
);
