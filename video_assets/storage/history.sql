-- name: note(checksums, step, status, error, metadata)!
-- The same event for every owner of the clips; nothing is fetched, so that a pipeline goes on.
SELECT private.note_events(:checksums, :step, :status, :error, :metadata);
