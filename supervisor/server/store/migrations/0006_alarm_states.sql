-- What an alarm was at each of its events, so that its history can be told with every field of the condition. Rows of
-- before have none: they are told with what the columns say.
ALTER TABLE alarm_log ADD COLUMN state VARCHAR;
