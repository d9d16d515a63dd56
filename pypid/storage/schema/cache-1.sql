-- cache.db: what was fetched. Disposable: everything in it can be fetched again, but for told_time.
-- body: as upstream sent it, in the content coding that `encoding` names.
-- kind: 'simple' is the project page, 'json' the legacy JSON of the project, 'json/1.0' that of a release.
-- 'list' is, under the project '', the list of all projects: their names, sorted, a line each.
-- 'provenance/https://...' is the provenance of one file, by its URL.
-- fetched_at: seconds since 1970 by the wall clock, since it must outlive a restart.
-- serial: which of upstream's changes it shows, where upstream counts them. An older one never replaces it.
-- version, summary: of the latest release, for the search, where the body says it.
CREATE TABLE page (
    index_name    TEXT NOT NULL,
    project       TEXT NOT NULL,
    kind          TEXT NOT NULL,
    upstream      TEXT NOT NULL,
    url           TEXT NOT NULL,
    content_type  TEXT NOT NULL,
    encoding      TEXT NOT NULL,
    body          BLOB NOT NULL,
    etag          TEXT,
    last_modified TEXT,
    fetched_at    REAL NOT NULL,
    serial        INTEGER,
    version       TEXT,
    summary       TEXT,
    PRIMARY KEY (index_name, project, kind)
);

-- Lists and searches are answered from this alone, without the bodies.
CREATE INDEX page_search ON page (index_name, project, kind, version, summary);

-- Files whose blob is kept. They stay downloadable when the page no longer lists them (lock files), until there is no
-- room for them.
CREATE TABLE file (
    index_name TEXT NOT NULL,
    project    TEXT NOT NULL,
    filename   TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    PRIMARY KEY (index_name, project, filename, sha256)
);

-- For those whose blob goes.
CREATE INDEX file_sha256 ON file (sha256);

-- Projects of which upstream's last page said that they are in quarantine (PEP 792). Their files are not served, also
-- when upstream has withdrawn the project since.
CREATE TABLE quarantine (
    index_name TEXT NOT NULL,
    project    TEXT NOT NULL,
    PRIMARY KEY (index_name, project)
);

-- Up to which change the change feed of an index was read.
CREATE TABLE feed (
    index_name TEXT NOT NULL PRIMARY KEY,
    url        TEXT NOT NULL,
    serial     INTEGER NOT NULL
);

-- The sha256 of fetched files whose upstream does not say it. It is told from then on, and what is fetched again must
-- have it. identity: what tells the file from others of its name without it, made from what upstream does say.
CREATE TABLE learned_digest (
    index_name TEXT NOT NULL,
    project    TEXT NOT NULL,
    filename   TEXT NOT NULL,
    identity   TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    PRIMARY KEY (index_name, project, filename, identity)
);

-- When clients were told that a file was uploaded, where upstream's page does not say the same: it has no time, or
-- has changed it. Once told it stays. Lost with the rest, such files count as uploaded when they are next seen, and
-- cool-downs wait for them again; files whose time upstream says lose nothing.
-- identity: the sha256, or what stands for it (learned_digest). upload_time: ISO 8601 in UTC. source: a TimeSource.
CREATE TABLE told_time (
    index_name  TEXT NOT NULL,
    project     TEXT NOT NULL,
    filename    TEXT NOT NULL,
    identity    TEXT NOT NULL,
    upload_time TEXT NOT NULL,
    source      TEXT NOT NULL,
    PRIMARY KEY (index_name, project, filename, identity)
);

-- What was read in wheels: where upstream offers no core metadata, or not that which it claims.
-- claim: the sha256 of the METADATA that upstream claimed; while it claims another one, that is believed.
-- core_metadata: the sha256 of the METADATA, whose blob is kept while there is room for it; NULL where the wheel has
-- none.
-- verified: 0 if it was read from parts of the wheel, whose digest nobody could check.
CREATE TABLE found_metadata (
    index_name    TEXT NOT NULL,
    project       TEXT NOT NULL,
    filename      TEXT NOT NULL,
    identity      TEXT NOT NULL,
    claim         TEXT,
    core_metadata TEXT,
    verified      INTEGER NOT NULL,
    PRIMARY KEY (index_name, project, filename, identity)
);

-- When blobs were last read: which of the mirrored ones go first when there is no room for all.
-- used_at: seconds since 1970.
CREATE TABLE last_use (
    sha256  TEXT NOT NULL,
    used_at REAL NOT NULL,
    PRIMARY KEY (sha256)
);

-- What was read in the files of directories that are indexes, so that a start does not read them all again.
-- path: absolute, as bytes. state: what the file system said of it then; while that is the same, the row holds.
-- problem: why the file is not offered, '' if it is. core_metadata: the sha256 of a wheel's METADATA.
CREATE TABLE loose_file (
    path            BLOB NOT NULL,
    state           TEXT NOT NULL,
    sha256          TEXT NOT NULL,
    problem         TEXT NOT NULL,
    core_metadata   TEXT,
    summary         TEXT,
    requires_python TEXT,
    PRIMARY KEY (path)
);
