ALTER TABLE sessions ADD COLUMN proved_at BIGINT;
