-- What a run does, where it is not the document that was approved: the same with values for its parameters. The run's
-- recipe_sha256 is the digest of this document.
CREATE TABLE run_documents (run_id VARCHAR NOT NULL, document VARCHAR NOT NULL, parameters JSON NOT NULL);
