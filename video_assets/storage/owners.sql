-- name: find(word)$
SELECT private.find_owner(:word);

-- These run as an admin, whom the functions ask for.

-- name: profiles(at_most, skipped)
SELECT * FROM admin_list_profiles(:at_most, :skipped);

-- name: clips(whose, at_most, skipped)
SELECT * FROM admin_list_clips(:whose, :at_most, :skipped);

-- name: statistics()^
SELECT * FROM admin_stats();
