-- Who somebody is at an identity provider. The pair (issuer, subject) never changes hands there;
-- the e-mail address may, so it is kept for showing only.
CREATE TABLE user_identities (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  email TEXT,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  PRIMARY KEY (issuer, subject)
){table};
CREATE INDEX user_identities_user ON user_identities (user_id);
