-- Where it happened, on every record of events, alarms, people and care as well. The server sets the default (see 0004);
-- the digests of the audit trail do not cover it: it is the same for all of a database.
ALTER TABLE events ADD COLUMN isa95_path VARCHAR;
ALTER TABLE alarm_log ADD COLUMN isa95_path VARCHAR;
ALTER TABLE audit ADD COLUMN isa95_path VARCHAR;
ALTER TABLE calibrations ADD COLUMN isa95_path VARCHAR;
ALTER TABLE proof_tests ADD COLUMN isa95_path VARCHAR;
