-- All moments of owners of few, even where a sample takes them for owners of most.

-- The moments nearest to a vector, as before. Who has most of all moments is asked whether they have many only where
-- the index gave too few.
CREATE OR REPLACE FUNCTION private.nearest_moments(
    owner uuid, target extensions.halfvec, conditions jsonb, at_most integer)
RETURNS TABLE (segment_id uuid, similarity float8)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    few          constant integer := 4000;
    clips_read   constant integer := 100;
    compared     constant integer := greatest(200, 2 * at_most);
    wanted_space smallint := (SELECT id FROM public.embedding_spaces WHERE is_in_use);
    candidates   text := format(
        'FROM public.moment_vectors AS m %s WHERE m.user_id = $1 AND m.space = %s AND %s',
        CASE WHEN jsonb_array_length(conditions) > 0 THEN 'JOIN public.clips AS c ON c.id = m.clip_id' END,
        wanted_space, private.conditions(conditions));
    -- An eighth of all owners' moments, as counted when the table was last analyzed; nothing before.
    eighth       constant bigint := (SELECT greatest(0, reltuples) / 8 FROM pg_class
                                      WHERE oid = 'public.moment_vectors'::regclass);
    are_most     boolean;
    are_many     boolean;
    near         uuid[];
    distances    float8[];
    held         bigint;
    statement    text;
BEGIN
    IF owner IS NULL OR target IS NULL OR wanted_space IS NULL THEN
        RETURN;
    END IF;
    are_most := CASE
        WHEN eighth > 4 * few THEN EXISTS (SELECT FROM public.moment_vectors AS m
                                            WHERE m.user_id = owner AND m.space = wanted_space
                                              AND m.clip_id < '04000000-0000-0000-0000-000000000000'
                                           OFFSET eighth / 64)
        ELSE EXISTS (SELECT FROM public.moment_vectors AS m
                      WHERE m.user_id = owner AND m.space = wanted_space
                     OFFSET greatest(few, eighth)) END;
    IF are_most THEN
        -- A few more than are compared, for those that others own: to ask the index again costs as much as at first.
        PERFORM set_config('hnsw.ef_search', least(1000, compared + compared / 4)::text, true),
                set_config('hnsw.iterative_scan', 'relaxed_order', true),
                set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true);
        statement := format(
            'SELECT array_agg(n.segment_id), array_agg(n.v OPERATOR(extensions.<#>) $2)
               FROM (SELECT m.segment_id, m.v %s
                      ORDER BY (extensions.binary_quantize(m.v)::bit(1024))
                               OPERATOR(extensions.<~>) extensions.binary_quantize($2)::bit(1024)
                      LIMIT $3) AS n', candidates);
        EXECUTE statement INTO near, distances USING owner, target, compared;
        PERFORM private.note_leg('semantic', 'neighbours', coalesce(cardinality(near), 0), statement, owner, target,
                                 compared);
        PERFORM set_config('enable_sort', 'on', true), set_config('enable_seqscan', 'on', true);
        IF cardinality(near) = compared THEN
            RETURN QUERY
            SELECT n.segment_id, -n.distance
              FROM (SELECT u.*, count(*) OVER (PARTITION BY u.distance) > 1 AS is_tied
                      FROM unnest(near, distances) AS u (segment_id, distance)
                     ORDER BY u.distance
                     FETCH FIRST (at_most) ROWS WITH TIES) AS n
              LEFT JOIN public.segments AS s ON s.id = CASE WHEN n.is_tied THEN n.segment_id END
             ORDER BY n.distance, s.created_at DESC, s.clip_id, s.number, n.segment_id
             LIMIT at_most;
            RETURN;
        END IF;
    END IF;
    -- Asked of everybody whom the index did not answer: one long clip in the sample looks like many.
    are_many := EXISTS (SELECT FROM public.moment_vectors AS m
                         WHERE m.user_id = owner AND m.space = wanted_space
                        OFFSET few);
    IF are_many THEN
        SELECT array_agg(n.clip_id) INTO near
          FROM (SELECT f.clip_id
                  FROM private.nearest(owner, 3, target, conditions, greatest(clips_read, at_most)) AS f
                 LIMIT greatest(clips_read, at_most)) AS n;
    END IF;
    statement := format(
        'SELECT n.segment_id, -n.distance
           FROM (SELECT m.segment_id, m.clip_id, m.v OPERATOR(extensions.<#>) $2 AS distance
                   %1$s AND %2$s
                  ORDER BY distance
                  FETCH FIRST (%3$s) ROWS WITH TIES) AS n
           JOIN public.segments AS s ON s.id = n.segment_id
          ORDER BY n.distance, s.created_at DESC, n.clip_id, s.number, n.segment_id
          LIMIT %3$s',
        candidates,
        CASE WHEN are_many THEN 'm.clip_id = ANY ($4)' ELSE 'true' END,
        CASE WHEN are_many THEN '$3' ELSE 'greatest($3, 1000)' END);
    RETURN QUERY EXECUTE statement USING owner, target, at_most, near;
    GET DIAGNOSTICS held = ROW_COUNT;
    PERFORM private.note_leg('semantic', CASE WHEN are_many THEN 'nearest clips' ELSE 'exact' END, held, statement, owner,
                             target, at_most, near);
END
$$;
