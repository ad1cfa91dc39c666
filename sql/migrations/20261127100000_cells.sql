-- What is to be done, found without looking at every result: which preset each clip goes by, and which
-- clips were looked at and want nothing.

-- The preset of its latest ingest, whose plan says what a clip lacks; empty for clips older than this column.
ALTER TABLE public.clips ADD COLUMN preset text NOT NULL DEFAULT '';

-- Which clips go by a preset, without reading their wide rows.
CREATE INDEX clips_preset ON public.clips (preset, id);

-- One asset's results by age: how many there are, and whether there are new ones.
CREATE INDEX results_asset ON public.results (asset, measured_at) INCLUDE (status);


CREATE TABLE private.settled_clips (
    clip_id uuid PRIMARY KEY REFERENCES public.clips (id) ON DELETE CASCADE,
    plan    text NOT NULL,
    until   timestamptz NOT NULL DEFAULT 'infinity'
);
COMMENT ON TABLE private.settled_clips IS
    'Clips of which a plan (by its digest) wants nothing before a time, until one of their results changes.';

CREATE FUNCTION private.unsettle() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM private.settled_clips AS s
     USING public.clips AS c
     WHERE c.file_checksum = coalesce(NEW.file_checksum, OLD.file_checksum) AND s.clip_id = c.id;
    RETURN NULL;
END
$$;

-- What a clip lacks follows from these columns alone; that Dagster was told of a result changes nothing.
CREATE TRIGGER results_unsettle
AFTER INSERT OR DELETE OR UPDATE OF status, code_version, settings_fingerprint, input_fingerprint, result_digest,
                                    fault, attempts, measured_at
ON public.results FOR EACH ROW EXECUTE FUNCTION private.unsettle();

REVOKE ALL ON private.settled_clips FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON FUNCTION private.unsettle() FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON private.settled_clips TO service_role;

ALTER TABLE private.settled_clips ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Nobody sees what is settled" ON private.settled_clips FOR SELECT TO authenticated USING (false);
