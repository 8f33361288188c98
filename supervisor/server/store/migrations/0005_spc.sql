-- Statistical process control: which chart a series is, and what a point was held against when it came.
ALTER TABLE spc_series ADD COLUMN chart VARCHAR DEFAULT 'individuals';
ALTER TABLE spc_series ADD COLUMN recipe_id UUID;
ALTER TABLE spc_series ADD COLUMN baseline INTEGER DEFAULT 20;
ALTER TABLE spc_series ADD COLUMN rules JSON;
-- given, baseline or recalculated; NULL while there are none. `given` says which of ucl and lcl a person has set.
ALTER TABLE spc_series ADD COLUMN limits_from VARCHAR;
ALTER TABLE spc_series ADD COLUMN limits_since_ns BIGINT;
ALTER TABLE spc_series ADD COLUMN given JSON;
ALTER TABLE spc_series ADD COLUMN retired BOOLEAN DEFAULT false;
ALTER TABLE spc_series ADD COLUMN created_by VARCHAR;

ALTER TABLE spc_points ADD COLUMN time_ns BIGINT;
ALTER TABLE spc_points ADD COLUMN subgroup_size INTEGER DEFAULT 1;
ALTER TABLE spc_points ADD COLUMN spread DOUBLE;
ALTER TABLE spc_points ADD COLUMN mean DOUBLE;
ALTER TABLE spc_points ADD COLUMN ucl DOUBLE;
ALTER TABLE spc_points ADD COLUMN lcl DOUBLE;
