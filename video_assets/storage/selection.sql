-- name: select_clips(conditions)
SELECT file_checksum, preset FROM private.matching_clips(:conditions);
