-- name: known(owner, identities)
SELECT identity FROM forgotten WHERE user_id = :owner AND identity = ANY(:identities);

-- name: add(owner, checksum, identities)!
INSERT INTO forgotten (user_id, identity, file_checksum)
SELECT :owner, f.identity, :checksum FROM unnest(:identities::text[]) AS f(identity)
ON CONFLICT (user_id, identity) DO UPDATE SET file_checksum = excluded.file_checksum;

-- name: lift(owner, checksum)!
DELETE FROM forgotten WHERE user_id = :owner AND file_checksum = :checksum;
