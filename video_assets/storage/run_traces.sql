-- name: owners()
SELECT DISTINCT user_id FROM runs ORDER BY user_id;
