-- hosted.db: what was uploaded. Precious; all of it can be rebuilt from the sidecars.
-- Times are ISO 8601 in UTC, to the microsecond.

-- Each change of anything here gets the next serial.
CREATE TABLE counter (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    last_serial INTEGER NOT NULL
);

INSERT INTO counter VALUES (1, 0);

-- A project whose files are all deleted keeps its row: its name stays ours.
-- serial, changed_at: of its last change; what is rendered from its rows is known by the serial.
-- version, summary: those of the latest release, for the search.
-- status: NULL for active (PEP 792).
CREATE TABLE project (
    index_name    TEXT NOT NULL,
    name          TEXT NOT NULL,
    serial        INTEGER NOT NULL,
    changed_at    TEXT NOT NULL,
    version       TEXT,
    summary       TEXT,
    status        TEXT,
    status_reason TEXT,
    PRIMARY KEY (index_name, name)
);

-- A row implies durable blobs for sha256 and, where they are set, for core_metadata, signature and provenance.
-- yanked: NULL, or the reason ('' for none given). serial, changed_at: of the file's last change.
CREATE TABLE file (
    index_name      TEXT NOT NULL,
    filename        TEXT NOT NULL,
    project         TEXT NOT NULL,
    version         TEXT NOT NULL,
    filetype        TEXT NOT NULL,
    size            INTEGER NOT NULL,
    sha256          TEXT NOT NULL,
    blake2_256      TEXT NOT NULL,
    md5             TEXT NOT NULL,
    requires_python TEXT,
    summary         TEXT,
    core_metadata   TEXT,
    signature       TEXT,
    provenance      TEXT,
    yanked          TEXT,
    uploaded_at     TEXT NOT NULL,
    uploaded_by     TEXT NOT NULL,
    serial          INTEGER NOT NULL,
    changed_at      TEXT NOT NULL,
    PRIMARY KEY (index_name, filename),
    FOREIGN KEY (index_name, project) REFERENCES project (index_name, name)
);

CREATE INDEX file_project ON file (index_name, project);

-- Filenames that were published and are deleted: they do not come back with other bytes.
CREATE TABLE tombstone (
    index_name TEXT NOT NULL,
    filename   TEXT NOT NULL,
    project    TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    serial     INTEGER NOT NULL,
    deleted_at TEXT NOT NULL,
    deleted_by TEXT NOT NULL,
    PRIMARY KEY (index_name, filename)
);

-- What is laid over the projects of indexes that take no uploads.
-- version, filename: '' for all of them. kind: 'yank', 'block' or 'status'. status: of the last, NULL else.
CREATE TABLE overlay (
    index_name TEXT NOT NULL,
    project    TEXT NOT NULL,
    version    TEXT NOT NULL,
    filename   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    status     TEXT,
    reason     TEXT NOT NULL,
    serial     INTEGER NOT NULL,
    made_at    TEXT NOT NULL,
    made_by    TEXT NOT NULL,
    PRIMARY KEY (index_name, project, version, filename, kind)
);
