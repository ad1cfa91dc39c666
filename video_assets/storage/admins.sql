-- name: is_admin(account)$
SELECT EXISTS (SELECT FROM user_profiles WHERE id = :account AND profile_type = 'admin');

-- name: set_admin(account, wanted)^
SELECT profile_type FROM private.set_admin(:account, :wanted);
