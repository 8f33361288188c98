-- What was counted of each tag in buckets of ten minutes: long averages without reading every row. A bucket without
-- rows of a tag has none here. `squares`: of the distances from the bucket's own mean.
CREATE TABLE summaries (
    tag_set INTEGER NOT NULL,
    tag INTEGER NOT NULL,
    bucket BIGINT NOT NULL,
    good UINTEGER NOT NULL,
    bad UINTEGER NOT NULL,
    total DOUBLE NOT NULL,
    squares DOUBLE NOT NULL,
    low DOUBLE,
    high DOUBLE
);

-- From which bucket to which one, not included, all has been counted; no row: nothing yet.
CREATE TABLE summarised (first BIGINT NOT NULL, behind BIGINT NOT NULL);
