-- name: clips(owner)
-- An owner's clips in the order in which they came.
SELECT id, file_checksum FROM clips WHERE user_id = :owner ORDER BY created_at, id;

-- name: count(owner)$
SELECT count(*) FROM clips WHERE user_id = :owner;

-- name: decide_algorithm(algorithm)$
SELECT private.use_checksum_algorithm(:algorithm);

-- name: space_of(model)$
SELECT private.space_of(:model);

-- name: spaces(models)
SELECT id, model FROM embedding_spaces WHERE model = ANY(:models);

-- name: is_copy()$
-- A model's vectors come chunk by chunk, so that none lacks says nothing before the last.
SELECT set_config('video_assets.is_copy', 'true', true);

-- name: follow_space()!
-- No row at all fires the trigger that looks whether every clip has vectors of the next model.
INSERT INTO clip_vectors SELECT * FROM clip_vectors WHERE false;

-- name: lock(contents)
SELECT id FROM clips WHERE file_checksum = ANY(:contents) ORDER BY id FOR NO KEY UPDATE;

-- name: having(contents)
-- The clips of everybody who has one of these contents.
SELECT id, user_id, file_checksum FROM clips WHERE file_checksum = ANY(:contents) ORDER BY id;

-- name: describe(clips)$
SELECT private.describe(:clips::uuid[]);
