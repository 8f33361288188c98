-- The state of each alarm as people left it, and what happened to it. The state is changed in the transaction of what
-- caused it: the projection of the journal's event, or the operator's deed with its row of the audit trail.

CREATE TABLE alarms (
    name VARCHAR NOT NULL,
    ts TIMESTAMPTZ NOT NULL,
    active BOOLEAN NOT NULL,
    acknowledged BOOLEAN NOT NULL,
    confirmed BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL,
    shelf VARCHAR NOT NULL,
    out_of_service BOOLEAN NOT NULL,
    suppressed BOOLEAN NOT NULL,
    severity INTEGER NOT NULL,
    message VARCHAR NOT NULL,
    revision BIGINT NOT NULL,
    state VARCHAR NOT NULL
);

CREATE TABLE alarm_log (
    ts TIMESTAMPTZ NOT NULL,
    time_ns BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    asks BOOLEAN NOT NULL,
    active BOOLEAN NOT NULL,
    acknowledged BOOLEAN NOT NULL,
    severity INTEGER NOT NULL,
    message VARCHAR NOT NULL,
    user_name VARCHAR NOT NULL,
    comment VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL
);
