-- All of these run as `authenticated`: the functions leave the caller's own clips.

-- name: cells(plan, checksums, states)
SELECT * FROM private.own_cells(:plan, :checksums, :states);

-- name: failed_clips()
-- Few, and found by their index: nobody has to look at the cells of all others.
SELECT DISTINCT c.file_checksum FROM failed_steps() f JOIN clips c ON c.id = f.clip_id;
