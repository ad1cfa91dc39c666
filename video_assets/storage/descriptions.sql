-- All of these run as `authenticated`: row level security leaves the caller's own rows, and triggers write what follows
-- from a change into the clips.

-- name: promote(analyzer, clips)!
-- For some clips, or with null for all.
INSERT INTO promotions (analyzer, clip_id)
SELECT :analyzer, clip_id
  FROM unnest(coalesce(:clips::uuid[], ARRAY[NULL::uuid])) AS c(clip_id);

-- name: roll_back(clips)
-- Take back the newest that stands, of some clips or of all.
UPDATE promotions p
   SET rolled_back_at = clock_timestamp()
  FROM (SELECT DISTINCT ON (clip_id) id
          FROM promotions
         WHERE rolled_back_at IS NULL
           AND CASE WHEN :clips::uuid[] IS NULL THEN clip_id IS NULL ELSE clip_id = ANY(:clips) END
         ORDER BY clip_id, promoted_at DESC) newest
 WHERE p.id = newest.id
RETURNING p.clip_id, p.analyzer, p.promoted_at, p.rolled_back_at;

-- name: promotions(clips)
-- Whom the owner promoted for all, and for some clips or for any, the newest first.
SELECT p.clip_id, c.file_name, p.analyzer, p.promoted_at, p.rolled_back_at
  FROM promotions p
  LEFT JOIN clips c ON c.id = p.clip_id
 WHERE p.clip_id IS NULL OR :clips::uuid[] IS NULL OR p.clip_id = ANY(:clips)
 ORDER BY p.promoted_at DESC;

-- name: speakers(clips)
-- Whose words stand for how many clips; null: nobody's.
SELECT content_analyzer AS analyzer, count(*) AS clips
  FROM clips
 WHERE :clips::uuid[] IS NULL OR id = ANY(:clips)
 GROUP BY content_analyzer
 ORDER BY clips DESC, analyzer;

-- name: set_summary(clip_id, value)!
UPDATE clips SET content_summary = :value WHERE id = :clip_id;

-- name: set_category(clip_id, value)!
UPDATE clips SET content_category = :value WHERE id = :clip_id;

-- name: set_tags(clip_id, value)!
UPDATE clips SET content_tags = :value::text[] WHERE id = :clip_id;

-- name: clear(clip_id)!
DELETE FROM human_edits WHERE clip_id = :clip_id;

-- name: edited(clip_id)
SELECT replace(field, 'content_', '') AS field FROM human_edits WHERE clip_id = :clip_id ORDER BY field;
