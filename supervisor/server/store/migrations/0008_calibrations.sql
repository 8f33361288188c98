-- Every calibration of an instrument's reading, by version: (reading - offset) * gain. The newest of a tag is in force.
CREATE TABLE calibrations (
    tag VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    "offset" DOUBLE NOT NULL,
    gain DOUBLE NOT NULL,
    found_offset DOUBLE NOT NULL,
    found_gain DOUBLE NOT NULL,
    operation VARCHAR NOT NULL,
    run_number VARCHAR NOT NULL,
    operator_id VARCHAR NOT NULL,
    calibrated_at TIMESTAMPTZ NOT NULL,
    time_ns BIGINT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tag, version)
);
