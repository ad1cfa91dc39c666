-- name: note(checksums, step, status, error, metadata)$
-- The same event for every owner of the clips.
SELECT private.note_events(:checksums, :step, :status, :error, :metadata);
