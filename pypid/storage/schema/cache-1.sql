-- cache.db: what was fetched. Disposable: everything in it can be fetched again, but for told_time.
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

-- When clients were told that a file was uploaded, where upstream's page does not say the same: it has no time, or
-- has changed it. Once told it stays. Lost with the rest, such files count as uploaded when they are next seen, and
-- cool-downs wait for them again; files whose time upstream says lose nothing.
-- upload_time: ISO 8601 in UTC. source: a TimeSource.
CREATE TABLE told_time (
    index_name  TEXT NOT NULL,
    project     TEXT NOT NULL,
    filename    TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    upload_time TEXT NOT NULL,
    source      TEXT NOT NULL,
    PRIMARY KEY (index_name, project, filename, sha256)
);
