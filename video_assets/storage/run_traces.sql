-- name: mark_clip(owner, clip_id, by)!
-- The runs of an owner whose reports tell of one clip.
INSERT INTO deletions (kind, target, marked_by)
SELECT 'run reports', run_id, :by FROM run_clips WHERE clip_id = :clip_id AND user_id = :owner
ON CONFLICT (kind, target) WHERE removed_at IS NULL DO NOTHING;

-- name: owners()
SELECT DISTINCT user_id FROM runs ORDER BY user_id;
