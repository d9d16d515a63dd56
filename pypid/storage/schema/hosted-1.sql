-- hosted.db: what was uploaded. Precious.
-- serial: that of the project's last change, counted over all indexes; what is rendered from its rows is known by it.
-- version, summary: those of the latest release, for the search.
CREATE TABLE project (
    index_name TEXT NOT NULL,
    name       TEXT NOT NULL,
    serial     INTEGER NOT NULL,
    version    TEXT,
    summary    TEXT,
    PRIMARY KEY (index_name, name)
);

-- A row implies a durable blob for sha256 and, where it is set, for core_metadata.
-- uploaded_at: ISO 8601 in UTC, to the microsecond. yanked: NULL, or the reason ('' for none given).
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
    yanked          TEXT,
    uploaded_at     TEXT NOT NULL,
    uploaded_by     TEXT NOT NULL,
    PRIMARY KEY (index_name, filename),
    FOREIGN KEY (index_name, project) REFERENCES project (index_name, name)
);

CREATE INDEX file_project ON file (index_name, project);
