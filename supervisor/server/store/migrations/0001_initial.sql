-- Everything but telemetry, whose tables depend on the tags of the tool (historian/hot.py). Columns that the platform
-- guide names have its names. Append-only tables carry no key: an indexed table cannot commit during a checkpoint.

CREATE TABLE process_modes (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    name VARCHAR NOT NULL UNIQUE,
    pressure_mode VARCHAR NOT NULL,
    energy_mode VARCHAR NOT NULL,
    reactor_type VARCHAR NOT NULL,
    chemistry_type VARCHAR NOT NULL,
    variant VARCHAR,
    description VARCHAR,
    default_recipes JSON,
    capabilities JSON,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ
);

CREATE TABLE recipes (
    id UUID NOT NULL,
    org_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    process_mode_id UUID,
    film_target VARCHAR NOT NULL,
    thickness_target_nm DOUBLE NOT NULL,
    uniformity_target_pct DOUBLE NOT NULL,
    temperature_profile JSON NOT NULL,
    pressure_setpoints JSON NOT NULL,
    gas_flows JSON NOT NULL,
    plasma_settings JSON,
    filament_settings JSON,
    laser_settings JSON,
    pulsing_scheme JSON,
    recipe_steps JSON NOT NULL,
    safety_hazard_level INTEGER NOT NULL,
    required_interlocks JSON,
    status VARCHAR NOT NULL CHECK (status IN ('draft', 'approved', 'retired')),
    approval_date TIMESTAMPTZ,
    approved_by_id VARCHAR,
    approval_comment VARCHAR,
    metadata JSON,
    created_by_id VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ,
    document VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    UNIQUE (id, version),
    UNIQUE (name, version)
);

CREATE TABLE runs (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    run_number VARCHAR NOT NULL UNIQUE,
    kind VARCHAR NOT NULL CHECK (kind IN ('recipe', 'operation', 'simulation')),
    cvd_recipe_id UUID,
    recipe_version INTEGER,
    recipe_sha256 VARCHAR,
    process_mode_id UUID,
    instrument_id UUID NOT NULL,
    sample_id VARCHAR,
    wafer_id VARCHAR,
    status VARCHAR NOT NULL,
    engineering BOOLEAN NOT NULL DEFAULT false,
    start_time TIMESTAMPTZ,
    end_time TIMESTAMPTZ,
    duration_seconds DOUBLE,
    preflight_summary JSON,
    postflight_summary JSON,
    error_code VARCHAR,
    error_message VARCHAR,
    fault_data JSON,
    celery_task_id VARCHAR,
    job_progress DOUBLE NOT NULL DEFAULT 0.0,
    operator_id VARCHAR NOT NULL,
    metadata JSON,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    steps JSON,
    step_index INTEGER NOT NULL DEFAULT -1,
    start_ns BIGINT,
    end_ns BIGINT,
    start_scan BIGINT,
    end_scan BIGINT,
    tape VARCHAR,
    rolled BOOLEAN NOT NULL DEFAULT false
);

CREATE TABLE results (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    cvd_run_id UUID NOT NULL UNIQUE,
    film_material VARCHAR NOT NULL,
    thickness_mean_nm DOUBLE,
    thickness_std_nm DOUBLE,
    thickness_uniformity_pct DOUBLE,
    thickness_min_nm DOUBLE,
    thickness_max_nm DOUBLE,
    thickness_map JSON,
    refractive_index DOUBLE,
    extinction_coefficient DOUBLE,
    stress_mpa DOUBLE,
    stress_type VARCHAR,
    conformality_score DOUBLE,
    selectivity_score DOUBLE,
    step_coverage_pct DOUBLE,
    defect_density_per_cm2 DOUBLE,
    roughness_rms_nm DOUBLE,
    composition JSON,
    vm_predictions JSON,
    spc_snapshot JSON,
    report_uri VARCHAR,
    raw_data_uri VARCHAR,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    measurement JSON
);

CREATE TABLE spc_series (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    name VARCHAR NOT NULL UNIQUE,
    parameter VARCHAR NOT NULL,
    process_mode_id UUID,
    instrument_id UUID,
    target DOUBLE,
    ucl DOUBLE,
    lcl DOUBLE,
    usl DOUBLE,
    lsl DOUBLE,
    mean DOUBLE,
    std_dev DOUBLE,
    cp DOUBLE,
    cpk DOUBLE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ
);

CREATE TABLE spc_points (
    id UUID NOT NULL,
    org_id UUID NOT NULL,
    series_id UUID NOT NULL,
    cvd_run_id UUID,
    value DOUBLE NOT NULL,
    ts TIMESTAMPTZ NOT NULL,
    violation BOOLEAN NOT NULL DEFAULT false,
    violation_rules JSON
);

-- The journal's events as this database has seen them. `journal` counts journals: a new one starts again at 1.
CREATE TABLE events (
    journal INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    ts TIMESTAMPTZ NOT NULL,
    time_ns BIGINT NOT NULL,
    scan BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    severity INTEGER NOT NULL,
    source VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    cvd_run_id UUID,
    data JSON NOT NULL
);

-- Who did what. Each row carries the digest of the one before it, so that a change of any row shows.
CREATE TABLE audit (
    seq BIGINT NOT NULL,
    time_ns BIGINT NOT NULL,
    user_name VARCHAR NOT NULL,
    roles VARCHAR NOT NULL,
    session VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    detail VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    prev_sha VARCHAR NOT NULL,
    sha VARCHAR NOT NULL
);

-- How far the journal has been projected; changed in the transaction of what was projected.
CREATE TABLE projection (journal INTEGER NOT NULL, seq BIGINT NOT NULL);
INSERT INTO projection VALUES (1, 0);

-- Lists of tags that telemetry was or is recorded with; `digest` covers names, units and resolutions.
CREATE TABLE tag_sets (
    id INTEGER NOT NULL,
    digest VARCHAR NOT NULL,
    tool VARCHAR NOT NULL,
    tags VARCHAR[] NOT NULL,
    units VARCHAR[] NOT NULL,
    resolution DOUBLE[] NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- Statuses and source times, only where they change. `moving`: the source time follows the row's time at a
-- distance of `source_ns`; else it is `source_ns`.
CREATE TABLE changes (
    tag_set INTEGER NOT NULL,
    tag INTEGER NOT NULL,
    ts_ns BIGINT NOT NULL,
    source_ns BIGINT NOT NULL,
    moving BOOLEAN NOT NULL,
    status UINTEGER NOT NULL
);

-- Telemetry that has left the hot tables. A part is either here or hot, never both, never neither.
CREATE TABLE parts (
    owner VARCHAR NOT NULL,
    part INTEGER NOT NULL,
    tag_set INTEGER NOT NULL,
    path VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    first_ns BIGINT NOT NULL,
    last_ns BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The newest row of the logging ring that was stored: a server that starts again goes on behind it.
CREATE TABLE ingest (scan BIGINT NOT NULL, ts_ns BIGINT NOT NULL);

-- Rows that the logging ring had lost before they could be stored.
CREATE TABLE gaps (ts_ns BIGINT NOT NULL, rows BIGINT NOT NULL);

-- Small facts about this database: instrument, organisation …
CREATE TABLE settings (name VARCHAR NOT NULL, value VARCHAR NOT NULL);
