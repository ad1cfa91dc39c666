-- Files made from clips that lie in an object store: what each must be, where copies of it are, and who reads them.

CREATE TABLE private.artifact_digests (
    name          text PRIMARY KEY,
    file_checksum text NOT NULL,
    asset         text NOT NULL,
    size_bytes    bigint NOT NULL CHECK (size_bytes >= 0),
    blake3        text NOT NULL CHECK (blake3 ~ '^[0-9a-f]{64}$'),
    FOREIGN KEY (file_checksum, asset) REFERENCES public.results (file_checksum, asset) ON DELETE CASCADE
);
COMMENT ON TABLE private.artifact_digests IS
    'What the files are that results name, where these lie in an object store; written with the result.';

-- The files of one cell, and the cascade from its result.
CREATE INDEX artifact_digests_cell ON private.artifact_digests (file_checksum, asset);


CREATE TABLE private.artifact_copies (
    store         text NOT NULL,
    key           text NOT NULL,
    user_id       uuid,
    name          text NOT NULL,
    file_checksum text NOT NULL,
    asset         text NOT NULL,
    size_bytes    bigint NOT NULL CHECK (size_bytes >= 0),
    blake3        text NOT NULL CHECK (blake3 ~ '^[0-9a-f]{64}$'),
    upload_url    text,
    begun_at      timestamptz NOT NULL DEFAULT now(),
    done_at       timestamptz,
    verified_at   timestamptz,
    PRIMARY KEY (store, key)
);
COMMENT ON TABLE private.artifact_copies IS
    'Objects in stores; a row is there before its object and after it, so that none is ever lost sight of.';
COMMENT ON COLUMN private.artifact_copies.user_id IS
    'Below whose id it lies, where owners read by themselves. No reference: objects outlive an account for a moment.';
COMMENT ON COLUMN private.artifact_copies.upload_url IS 'Where a large upload that was broken off goes on.';
COMMENT ON COLUMN private.artifact_copies.verified_at IS 'When its bytes were read back and were the right ones.';

-- Where a file is.
CREATE INDEX artifact_copies_name ON private.artifact_copies (name);
-- What there is of a content.
CREATE INDEX artifact_copies_content ON private.artifact_copies (file_checksum);


-- Objects of a store that no result stands behind any more, or whose owner has the content no more.
CREATE FUNCTION private.unneeded_copies(_store text)
RETURNS SETOF private.artifact_copies
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.*
      FROM private.artifact_copies AS c
     WHERE c.store = _store
       AND (NOT EXISTS (SELECT FROM private.artifact_digests AS d
                          JOIN public.results AS r USING (file_checksum, asset)
                         WHERE d.name = c.name AND d.blake3 = c.blake3 AND r.status = 'done')
            OR c.user_id IS NOT NULL
               AND NOT EXISTS (SELECT FROM public.clips AS o
                                WHERE o.user_id = c.user_id AND o.file_checksum = c.file_checksum))
$$;

-- What the files of the caller's clips must be: whoever fetches one checks it.
CREATE FUNCTION public.artifact_files(names text[])
RETURNS TABLE (name text, size_bytes bigint, blake3 text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.name, d.size_bytes, d.blake3
      FROM private.artifact_digests AS d
      JOIN public.clips AS c USING (file_checksum)
     WHERE d.name = ANY (names) AND c.user_id = (SELECT auth.uid())
$$;
COMMENT ON FUNCTION public.artifact_files(text[]) IS 'Size and digest of files made from the caller''s own clips.';


REVOKE ALL ON private.artifact_digests, private.artifact_copies FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON FUNCTION private.unneeded_copies(text), public.artifact_files(text[])
  FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON private.artifact_digests, private.artifact_copies TO service_role;
GRANT EXECUTE ON FUNCTION private.unneeded_copies(text) TO service_role;
GRANT EXECUTE ON FUNCTION public.artifact_files(text[]) TO authenticated;

ALTER TABLE private.artifact_digests ENABLE ROW LEVEL SECURITY;
ALTER TABLE private.artifact_copies ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Nobody reads the digests" ON private.artifact_digests FOR SELECT TO authenticated USING (false);
CREATE POLICY "Nobody reads the copies" ON private.artifact_copies FOR SELECT TO authenticated USING (false);


-- The bucket of a Supabase project; a Postgres without its storage has none. Owners read what lies below their id,
-- and only the service writes: the restrictive policies hold whatever the project's other ones allow.
DO $bucket$
BEGIN
    IF to_regclass('storage.buckets') IS NULL OR to_regclass('storage.objects') IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO storage.buckets (id, name, public) VALUES ('artifacts', 'artifacts', false)
    ON CONFLICT (id) DO NOTHING;
    CREATE POLICY "Owners read their artifacts" ON storage.objects
    FOR SELECT TO authenticated
    USING (bucket_id = 'artifacts' AND (storage.foldername(name))[1] = (SELECT auth.uid())::text);
    CREATE POLICY "Artifacts are read by their owners alone" ON storage.objects
    AS RESTRICTIVE FOR SELECT TO anon, authenticated
    USING (bucket_id <> 'artifacts' OR (storage.foldername(name))[1] = (SELECT auth.uid())::text);
    CREATE POLICY "Artifacts are added by the service alone" ON storage.objects
    AS RESTRICTIVE FOR INSERT TO anon, authenticated WITH CHECK (bucket_id <> 'artifacts');
    CREATE POLICY "Artifacts are changed by the service alone" ON storage.objects
    AS RESTRICTIVE FOR UPDATE TO anon, authenticated
    USING (bucket_id <> 'artifacts') WITH CHECK (bucket_id <> 'artifacts');
    CREATE POLICY "Artifacts are removed by the service alone" ON storage.objects
    AS RESTRICTIVE FOR DELETE TO anon, authenticated USING (bucket_id <> 'artifacts');
END
$bucket$;
