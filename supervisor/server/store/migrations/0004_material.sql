-- Material, place and queue. `isa95_path` names the equipment in ISA-95's hierarchy (enterprise/…/work unit); its
-- default is set by the server, so that whoever inserts a record need not know it.
ALTER TABLE process_modes ADD COLUMN isa95_path VARCHAR;
ALTER TABLE recipes ADD COLUMN isa95_path VARCHAR;
ALTER TABLE results ADD COLUMN isa95_path VARCHAR;
ALTER TABLE spc_series ADD COLUMN isa95_path VARCHAR;
ALTER TABLE spc_points ADD COLUMN isa95_path VARCHAR;
ALTER TABLE runs ADD COLUMN isa95_path VARCHAR;
ALTER TABLE runs ADD COLUMN lot_id VARCHAR;
ALTER TABLE runs ADD COLUMN carrier_id VARCHAR;
ALTER TABLE runs ADD COLUMN wafer_ids VARCHAR[];

-- The order in which waiting runs are started; a run without a row here stands behind all that have one.
CREATE TABLE run_queue (run_id VARCHAR NOT NULL, place BIGINT NOT NULL);

-- What a client's token has made: the same token of the same user makes nothing twice.
CREATE TABLE run_tokens (user_name VARCHAR NOT NULL, token VARCHAR NOT NULL, asked VARCHAR NOT NULL, answer JSON NOT NULL);

-- Where material was and what was done with it; append-only.
CREATE TABLE material_log (
    time_ns BIGINT NOT NULL,
    org_id UUID NOT NULL,
    isa95_path VARCHAR,
    kind VARCHAR NOT NULL,
    material_id VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    location VARCHAR NOT NULL,
    run_id VARCHAR,
    user_name VARCHAR NOT NULL,
    comment VARCHAR NOT NULL
);

-- When the equipment came into a state of SEMI E10; append-only. The last row's state lasts until the next one.
CREATE TABLE equipment_states (time_ns BIGINT NOT NULL, state VARCHAR NOT NULL, mode VARCHAR NOT NULL);
