-- counts.db: how often files were downloaded. Losing it costs no file.
-- day: in UTC, counted from 1970-01-01.

-- since, until: the first and the last day of counting without a break; one row.
CREATE TABLE watch (
    since INTEGER NOT NULL,
    until INTEGER NOT NULL
);

-- earlier: downloads on days that are no longer kept one by one. last_day: of the last download, whatever is kept.
CREATE TABLE file (
    id         INTEGER PRIMARY KEY,
    index_name TEXT NOT NULL,
    project    TEXT NOT NULL,
    filename   TEXT NOT NULL,
    earlier    INTEGER NOT NULL,
    last_day   INTEGER NOT NULL,
    UNIQUE (index_name, project, filename)
);

-- Days without a download have no row. The long names are in `file`, once.
CREATE TABLE download (
    file  INTEGER NOT NULL,
    day   INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (file, day),
    FOREIGN KEY (file) REFERENCES file (id)
);
