-- Profiles never stand in the way of a sign-up: one that cannot be made then is made when it is first asked for.

-- Writes the profile of an account, unless there is one. What goes wrong is undone and told to the server's log, without
-- a word of the account.
CREATE FUNCTION private.make_profile(account uuid, meta jsonb, email text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.user_profiles (id, display_name)
    VALUES (account, private.display_name(meta, email))
    ON CONFLICT (id) DO NOTHING;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'an account has no profile yet: it could not be made (SQLSTATE %)', SQLSTATE;
END
$$;

CREATE OR REPLACE FUNCTION private.handle_new_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.make_profile(NEW.id, NEW.raw_user_meta_data, NEW.email);
    RETURN NEW;
END
$$;

-- The caller's own, from their account; nothing for a token whose account is gone.
CREATE FUNCTION private.make_own_profile() RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT private.make_profile(u.id, u.raw_user_meta_data, u.email)
      FROM auth.users AS u
     WHERE u.id = (SELECT auth.uid())
$$;

CREATE OR REPLACE FUNCTION public.get_user_profile()
RETURNS TABLE (id uuid, profile_type text, display_name text, created_at timestamptz)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('transaction_read_only') = 'off'
       AND NOT EXISTS (SELECT FROM public.user_profiles AS p WHERE p.id = (SELECT auth.uid())) THEN
        PERFORM private.make_own_profile();
    END IF;
    RETURN QUERY
        SELECT p.id, p.profile_type, p.display_name, p.created_at
          FROM public.user_profiles AS p
         WHERE p.id = (SELECT auth.uid());
END
$$;
COMMENT ON FUNCTION public.get_user_profile() IS 'The caller''s own profile, which is made if a sign-up could not; at most one row.';

-- Makes an account an admin, or no longer one. Operators alone may: they reach the database itself.
CREATE FUNCTION private.set_admin(account uuid, wanted boolean) RETURNS TABLE (profile_type text, display_name text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO public.user_profiles AS p (id, profile_type, display_name)
    SELECT u.id, CASE WHEN wanted THEN 'admin' ELSE 'user' END, private.display_name(u.raw_user_meta_data, u.email)
      FROM auth.users AS u
     WHERE u.id = account
    ON CONFLICT (id) DO UPDATE SET profile_type = excluded.profile_type
    RETURNING p.profile_type, p.display_name
$$;

REVOKE ALL ON FUNCTION private.make_profile(uuid, jsonb, text), private.make_own_profile(), private.set_admin(uuid, boolean)
  FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION private.make_own_profile() TO authenticated;
GRANT EXECUTE ON FUNCTION private.set_admin(uuid, boolean) TO service_role;

-- Who holds the secret key reads everything, and still makes no admin.
REVOKE INSERT, UPDATE ON public.user_profiles FROM service_role;
GRANT UPDATE (display_name) ON public.user_profiles TO service_role;
