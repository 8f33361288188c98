-- Gains of control loops that a test has told: proposed, then approved by a person or rejected; restored when the tool
-- file's gains are in force again. `version` counts the approved ones of a loop.
CREATE TABLE tunings (
    id VARCHAR PRIMARY KEY,
    loop VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    version INTEGER,
    method VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    kp DOUBLE NOT NULL,
    ti_s DOUBLE NOT NULL,
    schedule_at DOUBLE,
    found VARCHAR NOT NULL,
    present VARCHAR NOT NULL,
    run_number VARCHAR NOT NULL,
    proposed_by VARCHAR NOT NULL,
    proposed_at TIMESTAMPTZ NOT NULL,
    decided_by VARCHAR,
    decided_at TIMESTAMPTZ,
    comment VARCHAR,
    signature VARCHAR,
    isa95_path VARCHAR
);
