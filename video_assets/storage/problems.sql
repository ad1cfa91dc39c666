-- name: count_problems(check_name, asset)^
-- How many clips have a result, and in how many of them a check found a problem.
SELECT (SELECT count(*) FROM results WHERE asset = :asset AND status = 'done') AS checked,
       (SELECT count(*) FROM results
         WHERE asset = :asset AND problems <> '{}' AND problems ? :check_name AND status = 'done')
           AS total;

-- name: problems(check_name, asset, at_most)
SELECT file_checksum, problems ->> :check_name AS problem
  FROM results
 WHERE asset = :asset AND problems <> '{}' AND problems ? :check_name
 ORDER BY measured_at DESC
 LIMIT :at_most;
